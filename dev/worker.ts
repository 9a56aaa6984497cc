import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { startGuarded } from './guarded.ts';
import { formatVariables } from './variables.ts';
import { outputFilter } from './wrangler-output.ts';

export interface WorkerOptions {
  /** The project, where wrangler.toml is. */
  readonly root: string;
  /** For wrangler's own state; nothing is written to the home directory. */
  readonly directory: string;
  readonly port: number;
  /** What the Worker finds in its environment. */
  readonly variables: Readonly<Record<string, string>>;
  readonly print: (line: string) => void;
}

export interface Worker {
  /** Resolves when wrangler, or the runtime below it, has ended, with what and how. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** Runs the Worker in workerd, on 127.0.0.1, through `wrangler dev`: it rebuilds when a source file changes. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { root, directory, port, print } = options;
  await mkdir(directory, { recursive: true });
  // A file, because a command line can be read by every user of the machine.
  const variables = join(directory, 'variables.env');
  await rm(variables, { force: true });
  await writeFile(variables, formatVariables(options.variables), { mode: 0o600 });

  const crashed = Promise.withResolvers<string>();
  const shows = outputFilter();
  const wrangler = await startGuarded(
    {
      command: process.execPath,
      args: [
        '--no-warnings',
        // Not through its bin file, which would be one more process in between.
        createRequire(import.meta.url).resolve('wrangler'),
        'dev',
        ...['--env', 'dev'],
        ...['--port', String(port), '--ip', '127.0.0.1'],
        '--local',
        ...['--inspector-port', '0'],
        ...['--env-file', variables],
        ...['--persist-to', join(directory, 'state')],
        '--show-interactive-dev-session=false',
      ],
      cwd: root,
      stop: [{ signal: 'SIGTERM', grace: 1_500 }],
    },
    { ...process.env, ...quietly(directory) },
    (line) => {
      const plain = stripVTControlCharacters(line);
      if (plain.includes('The Workers runtime crashed unexpectedly')) {
        // wrangler starts a new one, but no longer on the port it was told: better to end than to be out of reach.
        crashed.resolve('workerd crashed');
      }
      if (shows(plain)) {
        // wrangler colours some lines even when asked not to.
        print(process.stdout.isTTY ? line : plain);
      }
    },
  );
  return {
    ended: Promise.race([crashed.promise, wrangler.ended.then((how) => `wrangler ended: ${how}`)]),
    async stop() {
      await wrangler.stop();
      await rm(variables, { force: true });
    },
  };
}

/** Nothing is fetched from or reported to the network, and no state is shared with other projects. */
function quietly(directory: string): Record<string, string> {
  return {
    // It was not `wrangler dev` alone: see assemble-docs.ts.
    EDGE_AUTH_PARTS: 'true',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    CLOUDFLARE_DEV_REGISTRY_PATH: join(directory, 'registry'),
    CLOUDFLARE_INCLUDE_PROCESS_ENV: 'false',
    CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: 'true',
    MINIFLARE_CACHE_DIR: join(directory, 'cache'),
    NODE_COMPILE_CACHE: join(directory, 'cache/node'),
    WRANGLER_CACHE_DIR: join(directory, 'cache'),
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_LOG: 'log',
    WRANGLER_REGISTRY_PATH: join(directory, 'registry'),
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_WRITE_LOGS: 'false',
    XDG_CONFIG_HOME: join(directory, 'config'),
    X_LOCAL_EXPLORER: 'false',
    X_LOCAL_OBSERVABILITY: 'false',
    ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1', FORCE_COLOR: '0' }),
  };
}
