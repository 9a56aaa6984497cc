/**
 * `npm run check:replicas`: two replicas on Node, the second of two processes, with one Postgres and one Redis behave as
 * one: limits, revocation, and the scheduled work, which takes its first minute.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { freePort } from '../dev/ports.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { startOwnPostgres } from './support/own-postgres.ts';
import { type Service, startService, unlimited } from './support/service.ts';

const tokens = z.object({ access_token: z.string(), refresh_token: z.string() });
const ends: (() => Promise<unknown>)[] = [];
const wrong: string[] = [];
const password = 'correct horse battery staple';
const limit = 12;

function expect(what: string, is: unknown, wanted: unknown): void {
  const good = JSON.stringify(is) === JSON.stringify(wanted);
  console.log(`${good ? 'ok' : 'WRONG'}: ${what}: ${JSON.stringify(is)}`);
  if (!good) wrong.push(what);
}

async function send({ port }: Service, method: string, path: string, body?: object, access?: string) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(access === undefined ? {} : { Authorization: `Bearer ${access}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  return { status: response.status, answer };
}

/** Of twice as many requests as the limit lets in, spread over both, so many get through and the others do not. */
async function limits(replicas: readonly Service[]): Promise<void> {
  const credentials = () => ({ identifier: crypto.randomUUID(), password });
  const asked = Array.from({ length: 2 * limit }, (_, index) => replicas[index % replicas.length]);
  const statuses: number[] = [];
  for (const replica of asked) {
    if (replica !== undefined) statuses.push((await send(replica, 'POST', '/auth/login', credentials())).status);
  }
  const count = (status: number) => statuses.filter((each) => each === status).length;
  expect(`of ${2 * limit} sign-ins, alternately, ${limit} are let in`, [count(401), count(429)], [limit, limit]);
}

/** A session that was ended at one is refused by the other at once, and lives on at neither. */
async function revocation([first, second]: readonly [Service, Service]): Promise<void> {
  const credentials = { email: 'ann@example.com', password };
  const registered = await send(first, 'POST', '/auth/register', credentials);
  const { access_token: access, refresh_token: refresh } = tokens.parse(registered.answer);
  const verify = async () =>
    (await Promise.all([first, second].map((each) => send(each, 'GET', '/auth/verify-token', undefined, access)))).map(
      ({ status }) => status,
    );
  expect('a token of the one is good at both', await verify(), [200, 200]);
  const refreshed = await send(second, 'POST', '/auth/refresh', { refresh_token: refresh });
  expect('a session of the one is refreshed at the other', refreshed.status, 200);
  await send(second, 'POST', '/auth/logout', { refresh_token: tokens.parse(refreshed.answer).refresh_token });
  expect('signed out at the other, it is refused at both', await verify(), [401, 401]);
}

/** Three processes have a timer each: the relays run in each, and every other step was done once. */
async function scheduled(replicas: readonly Service[]): Promise<void> {
  const done = () => replicas.flatMap((replica) => replica.events('scheduled').map(({ step }) => String(step)));
  const until = Date.now() + 100_000;
  // The timers go off at different moments: each process started when it could.
  const relays = () => done().filter((step) => step === 'relay_events').length;
  while ((relays() < 3 || !done().includes('delete_dead_mail')) && Date.now() < until) await sleep(500);
  await sleep(5000);
  const counts: Record<string, number> = {};
  for (const step of done()) counts[step] = (counts[step] ?? 0) + 1;
  console.log(`steps done by all three processes in their first minute: ${JSON.stringify(counts)}`);
  // The relays run in every process, and share the rows; all else is done by one.
  const { relay_outbox: outbox, relay_events: events, ...others } = counts;
  expect('the relays ran in each process', [outbox, events], [3, 3]);
  expect('each other step was done once', [...new Set(Object.values(others))], [1]);
}

try {
  const postgres = await startOwnPostgres();
  ends.push(postgres.remove);
  const redis = await startRedisServer();
  if (redis === undefined) throw new Error('There is no redis-server on the PATH');
  ends.push(redis.stop);
  const variables = {
    ...unlimited,
    LIMIT_LOGIN_ADDRESS: `${limit}/60`,
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    LOG_LEVEL: 'info',
  };
  const first = await startService(await freePort(), { ...variables, WORKERS: '1' });
  ends.push(first.stop);
  const second = await startService(await freePort(), { ...variables, WORKERS: '2' });
  ends.push(second.stop);
  await limits([first, second]);
  await revocation([first, second]);
  await scheduled([first, second]);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  for (const end of ends.toReversed()) await end();
}
