import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { startGuarded } from '../../dev/guarded.ts';
import { freePort } from '../../dev/ports.ts';

/** Where the binary of this machine is. */
const require = createRequire(import.meta.url);
const { default: binary } = z.object({ default: z.string() }).parse(require('workerd'));
const root = join(import.meta.dirname, '../..');

export interface PlainWorker {
  /** `http://127.0.0.1:port`. */
  readonly base: string;
  readonly inspector: string;
  readonly pid: number;
  /** The last lines it has printed. */
  lines(): readonly string[];
  /** Runs the scheduled handler, as a cron trigger does. */
  runScheduled(): Promise<void>;
  stop(): Promise<void>;
}

/** Has the scheduled handler of the Worker called, which nothing but a binding can. */
const timer = `export default {
  async fetch(_request, { APP }) {
    const { outcome } = await APP.scheduled({ cron: '* * * * *', scheduledTime: new Date() });
    return new Response(outcome);
  },
};`;

let built: string | undefined;

/** Builds the Worker as `wrangler deploy` does, once for this process. @returns the directory, which goes with it */
function build(): string {
  if (built !== undefined) return built;
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-worker-build-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const wrangler = ['node_modules/wrangler/bin/wrangler.js', 'deploy', '--dry-run', '--env', 'dev'];
  execFileSync(process.execPath, [...wrangler, '--outdir', directory], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_WRITE_LOGS: 'false', NO_COLOR: '1' },
  });
  built = directory;
  return directory;
}

/**
 * Runs the Worker in plain workerd: `wrangler dev` keeps memory of its own, and puts a server before it.
 * @param variables text bindings
 */
export async function startPlainWorker(variables: Readonly<Record<string, string>>): Promise<PlainWorker> {
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-workerd-'));
  cpSync(build(), directory, { recursive: true });
  writeFileSync(join(directory, 'timer.js'), timer);
  const [port, timerPort, inspectorPort] = [await freePort(), await freePort(), await freePort()];
  const config = join(directory, 'config.capnp');
  writeFileSync(config, describe(directory, variables, port, timerPort), { mode: 0o600 });
  const lines: string[] = [];
  const workerd = await startGuarded(
    {
      command: binary,
      // The flag with which the timer calls a scheduled handler is experimental.
      args: ['serve', '--experimental', config, `--inspector-addr=127.0.0.1:${inspectorPort}`],
      cwd: directory,
      stop: [{ signal: 'SIGTERM', grace: 2000 }],
    },
    { PATH: process.env['PATH'] },
    (line) => {
      lines.push(line);
      if (lines.length > 100) lines.shift();
    },
  );
  const stop = async () => {
    await workerd.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  const base = `http://127.0.0.1:${port}`;
  const isUp = () =>
    fetch(`${base}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  for (let tries = 0; !(await isUp()); tries += 1) {
    if (tries > 150) {
      await stop();
      throw new Error(`The Worker did not start: ${lines.join('\n')}`);
    }
    await sleep(200);
  }
  return {
    base,
    inspector: `http://127.0.0.1:${inspectorPort}`,
    pid: workerd.pid,
    lines: () => lines,
    async runScheduled() {
      const outcome = await (await fetch(`http://127.0.0.1:${timerPort}`)).text();
      if (outcome !== 'ok') throw new Error(`The scheduled run ended with ${outcome}`);
    },
    stop,
  };
}

function describe(
  directory: string,
  variables: Readonly<Record<string, string>>,
  port: number,
  timerPort: number,
): string {
  const modules = readdirSync(directory)
    .filter((file) => file.endsWith('.wasm'))
    .map((file) => `(name = "${file}", wasm = embed "${file}")`);
  const bindings = Object.entries(variables).map(
    ([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`,
  );
  const day = /^compatibility_date = "(.*)"$/m.exec(readFileSync(join(root, 'wrangler.toml'), 'utf8'))?.[1];
  const date = `compatibilityDate = "${day}"`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "app", worker = .app),
    (name = "timer", worker = .timer),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [
    (name = "app", address = "127.0.0.1:${port}", http = (), service = "app"),
    (name = "timer", address = "127.0.0.1:${timerPort}", http = (), service = "timer"),
  ],
);
const app :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js"), ${modules.join(', ')}],
  ${date},
  bindings = [${bindings.join(', ')}],
);
const timer :Workerd.Worker = (
  modules = [(name = "timer.js", esModule = embed "timer.js")],
  ${date},
  compatibilityFlags = ["service_binding_extra_handlers"],
  bindings = [(name = "APP", service = "app")],
);
`;
}
