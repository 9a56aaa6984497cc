import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGuarded } from '../../dev/guarded.ts';
import { freePort } from '../../dev/ports.ts';
import { formatVariables } from '../../dev/variables.ts';

export interface DevWorker {
  readonly base: string;
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

/** The Worker in workerd, by `wrangler dev`. Resolves when it serves. */
export async function startDevWorker(variables: Readonly<Record<string, string>>): Promise<DevWorker> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-worker-'));
  const file = join(directory, 'variables.env');
  const own = { ENVIRONMENT: 'dev', ISSUER: base, AUTH_SECRET: crypto.randomUUID() };
  writeFileSync(file, formatVariables({ ...own, ...variables }), { mode: 0o600 });
  const lines: string[] = [];
  const wrangler = await startGuarded(
    {
      command: process.execPath,
      args: [
        ...[
          'node_modules/wrangler/wrangler-dist/cli.js',
          'dev',
          '--local',
          '--port',
          String(port),
          '--ip',
          '127.0.0.1',
        ],
        ...['--inspector-port', '0', '--env-file', file, '--persist-to', join(directory, 'state')],
        '--show-interactive-dev-session=false',
      ],
      cwd: join(import.meta.dirname, '../..'),
      stop: [{ signal: 'SIGTERM', grace: 2000 }],
    },
    {
      ...process.env,
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_WRITE_LOGS: 'false',
      WRANGLER_REGISTRY_PATH: join(directory, 'registry'),
      XDG_CONFIG_HOME: join(directory, 'config'),
    },
    (line) => lines.push(line),
  );
  const stop = async () => {
    await wrangler.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 300; tries += 1) {
    const status = await fetch(`${base}/readyz`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return { base, lines, stop };
    await sleep(200);
  }
  await stop();
  throw new Error(`The Worker did not start: ${lines.slice(-5).join('\n')}`);
}
