/**
 * Runs the programs of the README and the guides against a live service: `npm run check:snippets`. Each verifier has to
 * let a good token in and to refuse those of `snippets/tokens.ts`; docs/quick-start.md has to run through; the clients for
 * browsers run in Chromium, on a page of another origin. What has no runtime here (Python with PyJWT, nginx, Chromium) is
 * named and left out, which in CI is a failure.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { startEmbeddedPostgres } from '../dev/embedded-postgres.ts';
import { freePort } from '../dev/ports.ts';
import { browserPath, openSite } from './snippets/browser.ts';
import { expect, hasFailed, leaveOut } from './snippets/expect.ts';
import { commandOf, endChild, snippet, startCommand } from './snippets/programs.ts';
import { badTokens } from './snippets/tokens.ts';
import { checkVerifier } from './snippets/verifier.ts';

const secret = `snippets-${crypto.randomUUID()}`;
const password = 'correct horse battery staple';
const signedIn = z.object({ access_token: z.string(), user: z.object({ id: z.string() }) });
const whose = z.object({ user: z.string() });

/** The service behind the proxy: it says what it was told. */
const upstream = createServer((request, response) => {
  const { host: _, connection: __, ...headers } = request.headers;
  response.end(JSON.stringify({ user: headers['x-auth-subject'] ?? '', headers }));
});
await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
const address = upstream.address();
const upstreamPort = typeof address === 'object' && address !== null ? address.port : 0;

const data = mkdtempSync(join(tmpdir(), 'edge-auth-snippets-'));
// Postgres may run as an account of its own, which has to get through.
chmodSync(data, 0o755);
const postgres = await startEmbeddedPostgres({ directory: join(data, 'postgres'), durable: false });
const servicePort = await freePort();
const issuer = `http://127.0.0.1:${servicePort}`;
/** A page of another origin, and its API. */
const site = await openSite(async (authorization) => {
  const answer = await fetch(`${issuer}/auth/verify-token`, { headers: { Authorization: authorization } });
  await answer.body?.cancel();
  return answer.ok;
});
const service = await startCommand([process.execPath, 'src/node.ts'], servicePort, {
  ENVIRONMENT: 'dev',
  AUTH_SECRET: secret,
  ISSUER: issuer,
  DATABASE_URL: postgres.url,
  HOST: '127.0.0.1',
  CORS_ORIGINS: site.origin,
  LOG_LEVEL: 'error',
});

const post = (path: string, body: object, token?: string) =>
  fetch(`${issuer}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });

async function register() {
  const body = { email: `user-${crypto.randomUUID()}@example.com`, password };
  return signedIn.parse(await (await post('/auth/register', body)).json());
}

/** A client for browsers signs in, calls an API and refreshes, on a page of another origin. */
async function checkClient(document: string, name: string, statements: string, wanted: unknown): Promise<void> {
  if (!existsSync(browserPath)) return leaveOut(name);
  const email = `user-${crypto.randomUUID()}@example.com`;
  await post('/auth/register', { email, password });
  const module = snippet(document, name).replace('http://localhost:8787', issuer);
  const signIn = `await module.signIn(${JSON.stringify(email)}, ${JSON.stringify(password)});`;
  const seen = await site.run(module, `${signIn} ${statements}`);
  expect(`${name} works on a page of another origin`, JSON.stringify(seen) === JSON.stringify(wanted), seen);
  console.log(`${name}: signs in, calls an API and refreshes in Chromium`);
}

/** Good tokens are let in, and each bad one is refused. */
async function checkProgram(name: string): Promise<void> {
  const port = await freePort();
  const command = commandOf(name, { issuer, port, upstreamPort });
  if (command === undefined) return leaveOut(name);
  const child = await startCommand(command, port, { ISSUER: issuer });
  const ask = async (authorization: string | undefined, headers: Record<string, string> = {}) => {
    const sent = { ...headers, ...(authorization === undefined ? {} : { Authorization: authorization }) };
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: sent });
    return { status: answer.status, text: await answer.text() };
  };
  try {
    const { access_token: good, user } = await register();
    const letIn = await ask(`Bearer ${good}`);
    expect(`${name} lets a good token in`, letIn.status === 200 && letIn.text.includes(user.id), letIn);
    const bad = Object.entries(await badTokens(good, postgres.url, secret));
    for (const [what, authorization] of bad) {
      const { status } = await ask(authorization);
      expect(`${name} refuses: ${what}`, status === 401, status);
    }
    if (name === 'nginx.conf') await checkProxy(ask, good, user.id);
    console.log(`${name}: 1 token let in, ${bad.length} refused`);
  } finally {
    await endChild(child);
  }
}

type Ask = (
  authorization: string | undefined,
  headers?: Record<string, string>,
) => Promise<{ status: number; text: string }>;

/** The service behind hears of the user what Edge Auth says, whatever the client says; a revoked token is refused. */
async function checkProxy(ask: Ask, good: string, userId: string): Promise<void> {
  const names = ['Subject', 'Session', 'Client', 'Scope', 'Roles'];
  const forged = Object.fromEntries(
    names.flatMap((name) => [
      [`X-Auth-${name}`, 'forged'],
      [`X_Auth_${name}`, 'forged'],
    ]),
  );
  const { text } = await ask(`Bearer ${good}`, forged);
  expect('nginx tells whose the token is', whose.parse(JSON.parse(text)).user === userId, text);
  expect('nginx takes nothing of it from the client', !text.includes('forged'), text);
  expect('nginx passes a forged subject on without a token', (await ask(undefined, forged)).status === 401, 'it does');
  await post('/auth/logout', {}, good);
  const { status } = await ask(`Bearer ${good}`);
  expect('nginx refuses a revoked token', status === 401, status);
  const { access_token: another } = await register();
  expect('nginx lets another token in', (await ask(`Bearer ${another}`)).status === 200, 'no');
  await endChild(service);
  const away = await ask(`Bearer ${another}`);
  expect('nginx lets nobody in while nobody can be asked', away.status === 500, away);
}

/** The commands of the quick start, as a reader who pastes them. */
function checkQuickStart(): void {
  const script = snippet('docs/quick-start.md', 'session.sh');
  const env = { ...process.env, BASE: issuer };
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-u', '-c', script], { env, encoding: 'utf8' });
  const lines = stdout.trim().split('\n');
  expect(
    'the quick start runs through',
    status === 0 && /"email":"bob@example.com"/.test(lines[0] ?? ''),
    stdout + stderr,
  );
  expect('its token is good, and then no more', lines.at(-2) === '200' && lines.at(-1) === '401', lines);
  console.log('quick-start.md: ran through');
}

try {
  checkQuickStart();
  const { access_token: good, user } = await register();
  await checkVerifier(issuer, { good, subject: user.id, bad: await badTokens(good, postgres.url, secret) });
  await checkClient(
    'README.md',
    'browser.mjs',
    `const before = await module.callApi('/api');
     await module.refresh();
     const after = await module.callApi('/api');
     return [before.status, after.status];`,
    [200, 200],
  );
  await checkClient(
    'docs/from-a-browser.md',
    'client.mjs',
    `const before = await Promise.all([1, 2, 3].map(() => module.callApi('/late')));
     await module.signOut();
     return before.map(({ status }) => status);`,
    [200, 200, 200],
  );
  // The last one ends the service.
  for (const name of ['hono.mjs', 'express.mjs', 'python.py', 'nginx.conf']) await checkProgram(name);
} finally {
  await site.close();
  await endChild(service);
  await postgres.stop();
  upstream.close();
  upstream.closeAllConnections();
  rmSync(data, { recursive: true, force: true });
}
if (hasFailed()) process.exitCode = 1;
