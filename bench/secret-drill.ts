/**
 * `npm run check:secret-drill`: a root secret and a signing key have leaked, as docs/security.md tells. What was signed
 * with the old secret is refused at once; everything it sealed moves to the new one while requests come and the command
 * is killed halfway; then the old secret is gone, nobody has lost an account, and the leaked key opens no door.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import pg from 'pg';
import { freePort } from '../dev/ports.ts';
import { createKeyring } from '../src/crypto/derive.ts';
import { issueRefreshToken } from '../src/tokens/refresh-token.ts';
import { password, send, tokens } from './support/client.ts';
import { startOwnPostgres } from './support/own-postgres.ts';
import { assert } from './support/report.ts';
import { type Service, startService, unlimited } from './support/service.ts';
import { startLoad, tally } from './support/start-load.ts';

const crowd = 3000;
const [oldSecret, newSecret] = [randomBytes(32).toString('base64'), randomBytes(32).toString('hex')];
const ends: (() => Promise<unknown>)[] = [];
const postgres = await startOwnPostgres();
ends.push(postgres.remove);
const withOld = { AUTH_SECRET: oldSecret };
const withBoth = { AUTH_SECRET: newSecret, AUTH_SECRET_PREVIOUS: oldSecret };
const withNew = { AUTH_SECRET: newSecret };
type Secrets = Readonly<Record<string, string>>;

async function serve(secrets: Secrets): Promise<Service> {
  const variables = { ...unlimited, LOG_LEVEL: 'error', DATABASE_URL: postgres.url, WORKERS: '1', ...secrets };
  const service = await startService(await freePort(), variables);
  ends.push(service.stop);
  return service;
}

/** Runs `npm run cli -- <args>`. @param until decides after each 50 ms whether to kill it */
async function cli(args: readonly string[], secrets: Secrets, input = '', until?: () => Promise<boolean>) {
  const env = { PATH: process.env['PATH'], ISSUER: 'http://localhost:3000', DATABASE_URL: postgres.url, ...secrets };
  const child = spawn(process.execPath, ['src/cli/main.ts', ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  let isOver = false;
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  void code.then(() => {
    isOver = true;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  while (until !== undefined && !isOver) {
    if (await until()) child.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { code: await code, output };
}

const client = new pg.Client({ connectionString: postgres.url });
/** Users whose address stands under a secret. */
const under = async (id: string) =>
  Number(
    (await client.query('select count(*) from users where starts_with(email_sealed, $1)', [`${id}.`])).rows[0].count,
  );
const status = async ({ base }: Service, path: string, body: object) =>
  (await send(base, 'POST', path, { body })).status;
const refresh = (service: Service, token: string) => status(service, '/auth/refresh', { refresh_token: token });
const login = (service: Service, identifier: string) => status(service, '/auth/login', { identifier, password });

async function drill(): Promise<void> {
  await client.connect();
  ends.push(() => client.end());
  const [oldKeys, newKeys] = [await createKeyring([oldSecret]), await createKeyring([newSecret])];
  const before = await serve(withOld);
  const lines = Array.from({ length: crowd }, (_, n) =>
    JSON.stringify({ email: `crowd-${n}@example.com`, name: 'Crowd', phone_number: '+4915112345678' }),
  );
  const imported = await cli(['import', '-'], withOld, lines.join('\n'));
  assert(imported.code === 0, `under the old secret: ${imported.output.trim()}`);
  const people = Array.from({ length: 5 }, (_, n) => `ann-${n}@example.com`);
  const sessions = [];
  for (const email of people) {
    const { answer } = await send(before.base, 'POST', '/auth/register', { body: { email, password } });
    sessions.push(tokens.parse(answer));
  }
  const [first] = sessions;
  assert(first !== undefined, `${people.length} people have registered`);
  const leaked = decodeProtectedHeader(first.access_token).kid ?? '';
  await before.stop();

  const during = await serve(withBoth);
  assert(
    (await refresh(during, first.refresh_token)) === 401,
    'with both secrets a refresh token of the old one is refused',
  );
  const sessionId = first.refresh_token.split('.')[0] ?? '';
  const forged = await issueRefreshToken(oldKeys, { sessionId, generation: 1 });
  assert((await refresh(during, forged)) === 401, 'so is one that somebody forged with it');
  assert((await login(during, people[0] ?? '')) === 200, 'its owner signs in with the password');

  const load = startLoad(during.base, 100, 2, 20);
  await load.loading;
  const halfway = async () => (await under(newKeys.newest.id)) > crowd / 3;
  const killed = await cli(['reseal'], withBoth, '', halfway);
  const moved = await under(newKeys.newest.id);
  assert(killed.code === null && moved < crowd, `reseal was killed when ${moved} of ${crowd} had been moved`);
  const begun = performance.now();
  const resealed = await cli(['reseal'], withBoth);
  const seconds = (performance.now() - begun) / 1000;
  load.stop();
  const sent = await load.done;
  console.log(resealed.output.trim());
  assert(resealed.code === 0, `run again it moved the rest, in ${seconds.toFixed(1)} s`);
  const isGood = sent.every(({ status: code }) => code === 200 || code === 201);
  assert(isGood, `requests meanwhile: ${JSON.stringify(tally(sent))}`);
  assert((await under(oldKeys.newest.id)) === 0, 'no address stands under the old secret');
  const rotated = await cli(['rotate-keys', '--now'], withNew);
  const retired = await cli(['retire-key', leaked], withNew);
  console.log(`${rotated.output.trim()}\n${retired.output.trim()}`);
  assert(rotated.code === 0 && retired.code === 0, 'the signing key is replaced and retired');
  await during.stop();

  const after = await serve(withNew);
  const jwks = JSON.stringify((await send(after.base, 'GET', '/.well-known/jwks.json')).answer);
  assert(!jwks.includes(leaked), 'the leaked key has left the JWKS');
  const verified = await send(after.base, 'GET', '/auth/verify-token', { bearer: first.access_token });
  assert(verified.status === 401, 'what it signed is refused');
  const statuses = [];
  for (const email of people) statuses.push(await login(after, email));
  assert(
    statuses.every((code) => code === 200),
    `with the new secret alone all ${people.length} sign in with their passwords`,
  );
  const again = await status(after, '/auth/register', { email: 'crowd-7@example.com', password });
  assert(again === 409, 'and nobody registers an address a second time');
  await after.stop();
  const refused = await serve(withOld).then(
    () => 'it started',
    (error) => String(error),
  );
  assert(
    refused.includes('AUTH_SECRET: this database belongs'),
    'with the old secret alone the service does not start',
  );
}

try {
  await drill();
} finally {
  for (const end of ends.toReversed()) await end();
}
