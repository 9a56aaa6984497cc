/**
 * `npm run check:hyperdrive`: the Worker of `wrangler.hyperdrive.toml` in workerd, against a Postgres of this command by
 * way of a local Hyperdrive binding: a session from registration to sign-out, many requests at once, and 503s with
 * recovery while Postgres is away.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGuarded } from '../dev/guarded.ts';
import { freePort } from '../dev/ports.ts';
import { formatVariables } from '../dev/variables.ts';
import { migrate } from '../src/platform/postgres-migrations.ts';
import { password, send, tokens } from './support/client.ts';
import { startOwnPostgres } from './support/own-postgres.ts';
import { expect } from './support/report.ts';
import { unlimited } from './support/service.ts';

const postgres = await startOwnPostgres();
await migrate(postgres.url);
const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const directory = mkdtempSync(join(tmpdir(), 'edge-auth-hyperdrive-'));
const variables = join(directory, 'variables.env');
writeFileSync(
  variables,
  formatVariables({
    ...unlimited,
    ENVIRONMENT: 'dev',
    ISSUER: base,
    AUTH_SECRET: crypto.randomUUID(),
    LOG_LEVEL: 'error',
  }),
  { mode: 0o600 },
);
const lines: string[] = [];
const wrangler = await startGuarded(
  {
    command: process.execPath,
    args: [
      ...['node_modules/wrangler/wrangler-dist/cli.js', 'dev', '--config', 'wrangler.hyperdrive.toml', '--local'],
      ...['--port', String(port), '--ip', '127.0.0.1', '--inspector-port', '0', '--env-file', variables],
      ...['--persist-to', join(directory, 'state'), '--show-interactive-dev-session=false'],
    ],
    cwd: join(import.meta.dirname, '..'),
    stop: [{ signal: 'SIGTERM', grace: 2000 }],
  },
  {
    ...process.env,
    CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE: postgres.url,
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_WRITE_LOGS: 'false',
    WRANGLER_REGISTRY_PATH: join(directory, 'registry'),
    XDG_CONFIG_HOME: join(directory, 'config'),
  },
  (line) => lines.push(line),
);

try {
  for (let tries = 0; ; tries += 1) {
    const isUp = await fetch(`${base}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isUp) break;
    if (tries > 300) throw new Error(`The Worker did not start: ${lines.slice(-5).join('\n')}`);
    await sleep(200);
  }
  const credentials = { email: 'ann@example.com', password };
  expect('register', (await send(base, 'POST', '/auth/register', { body: credentials })).status, 201);
  const login = await send(base, 'POST', '/auth/login', { body: { identifier: credentials.email, password } });
  const session = tokens.parse(login.answer);
  const refresh = async (token: string) =>
    await send(base, 'POST', '/auth/refresh', { body: { refresh_token: token } });
  const refreshed = await refresh(session.refresh_token);
  const { access_token: access, refresh_token: last } = tokens.parse(refreshed.answer);
  const many = await Promise.all(Array.from({ length: 50 }, () => send(base, 'GET', '/users/me', { bearer: access })));
  expect('50 requests at once', [...new Set(many.map(({ status }) => status))], [200]);
  expect('times are told as times', /T.*Z/.test(JSON.stringify(many[0]?.answer)), true);

  await postgres.down();
  const away = await refresh(last);
  expect('while Postgres is away', [away.status, away.retryAfter], [503, '2']);
  await postgres.up();
  const after = await refresh(last);
  expect('when it is back', after.status, 200);

  const { refresh_token: newest } = tokens.parse(after.answer);
  const signedOut = await send(base, 'POST', '/auth/logout', { body: { refresh_token: newest } });
  expect('sign out', signedOut.status, 200);
  expect('the token afterwards', (await send(base, 'GET', '/auth/verify-token', { bearer: access })).status, 401);
} finally {
  await wrangler.stop();
  rmSync(directory, { recursive: true, force: true });
  await postgres.remove();
}
