import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../dev/ports.ts';
import { lockoutVariable } from '../../src/config-limits.ts';
import { lockoutNames } from '../../src/limits/policies.ts';
import { startSlowProxy } from '../../test/support/slow-proxy.ts';
import { password, send, tokens } from '../support/client.ts';
import { type Service, startService, unlimited } from '../support/service.ts';
import { startStores } from '../support/stores.ts';

/** Who asks at the same time, each again as soon as it is answered. */
const clients = 16;
/** How long one answer of Redis takes: milliseconds. The service waits for 300. */
const slow = 700;
/** After that long the service goes by its marks again: the wait, the pause of a second, and a probe. Milliseconds. */
const soon = 2500;
/** How long each part is measured: milliseconds. */
const part = 4000;
/** How often one client may ask Redis in the second after the failure: the probe, and what runs by a timer. */
const probes = 4;

interface Sample {
  readonly at: number;
  readonly status: number;
}

/** Has a token verified until it is told to stop. @returns when each answer came */
async function verifying(base: string, access: string, isOver: () => boolean): Promise<Sample[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const samples: Sample[] = [];
  const ask = () =>
    new Promise<number>((resolve) => {
      const headers = { Authorization: `Bearer ${access}` };
      request(`${base}/auth/verify-token`, { agent, headers }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      })
        .once('error', () => resolve(0))
        .end();
    });
  const client = async () => {
    while (!isOver()) {
      const status = await ask();
      samples.push({ at: Date.now(), status });
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return samples;
}

const between = (times: readonly number[], from: number, to: number) =>
  times.filter((at) => at >= from && at < to).length;

/** A token that the marks in Redis decide about. Rows do for tokens from before, and a minute after, their first look. */
async function believed(base: string, rows: readonly number[]): Promise<string> {
  const body = { identifier: `${crypto.randomUUID()}@example.com`, password };
  await send(base, 'POST', '/auth/register', { body: { email: body.identifier, password } });
  for (let tries = 0; tries < 60; tries += 1) {
    const { access_token: access } = tokens.parse((await send(base, 'POST', '/auth/login', { body })).answer);
    const before = rows.length;
    for (let asked = 0; asked < 3; asked += 1) await send(base, 'GET', '/auth/verify-token', { bearer: access });
    if (rows.length === before) return access;
    await sleep(2000);
  }
  throw new Error('rows decide about every token');
}

/** One answer of Redis is slow while tokens are verified; then the process itself stands still. */
async function verification(
  { base, kill }: Service,
  redis: Awaited<ReturnType<typeof startSlowProxy>>,
  rows: readonly number[],
): Promise<string[]> {
  const access = await believed(base, rows);
  let isOver = false;
  const load = verifying(base, access, () => isOver);
  await sleep(1000);
  const begin = Date.now();
  await sleep(part);
  const held = Date.now();
  redis.holdNext(slow);
  await sleep(part);
  const stopped = Date.now();
  kill('SIGSTOP');
  await sleep(1000);
  kill('SIGCONT');
  await sleep(2000);
  isOver = true;
  const samples = await load;
  const end = Date.now();
  const times = samples.map(({ at }) => at);
  const rate = (from: number, to: number) => Math.round((between(times, from, to) * 1000) / (to - from));
  const [before, during, after] = [rate(begin, held), rate(held, held + soon), rate(held + soon, stopped)];
  const read = {
    before: between(rows, begin, held),
    during: between(rows, held, held + soon),
    after: between(rows, held + soon, stopped),
    lag: between(rows, stopped, end),
  };
  const asked = between(redis.sent, held + 450, held + 1250);
  console.log(`slow-answer: ${before} requests a second before, ${during} during, ${after} after`);
  console.log(
    `slow-answer: session rows read: ${read.before} before, ${read.during} in ${soon} ms, ${read.after} after, ` +
      `${read.lag} while the process stood still for a second; Redis was asked ${asked} times in the pause`,
  );
  const wrong: string[] = [];
  const refused = samples.filter(({ status }) => status !== 200).length;
  if (refused > 0) wrong.push(`${refused} good tokens were not accepted`);
  if (read.during === 0) wrong.push('the slow answer was not noticed: nothing was checked');
  if (read.before > 0 || read.after > 0) wrong.push('session rows are read while Redis answers');
  if (read.lag > 0) wrong.push('the lag of the process counts as an outage of Redis');
  if (asked > probes) wrong.push('more than one request at a time probes Redis');
  if (after < before * 0.6) wrong.push('the rate does not come back');
  return wrong;
}

/** Right passwords at once, without a device token, while an answer of Redis is slow and while none is. */
async function signIns({ base }: Service, redis: Awaited<ReturnType<typeof startSlowProxy>>): Promise<string[]> {
  const wrong: string[] = [];
  for (const [wait, moment] of [
    [0, 0],
    [slow, 20],
    [slow, 100],
    [slow, 300],
  ] as const) {
    const body = { email: `${crypto.randomUUID()}@example.com`, password };
    await send(base, 'POST', '/auth/register', { body });
    const login = async () => {
      const began = Date.now();
      const { status } = await send(base, 'POST', '/auth/login', { body: { identifier: body.email, password } });
      return { status, took: Date.now() - began };
    };
    const twenty = Array.from({ length: 20 }, login);
    if (wait > 0) {
      await sleep(moment);
      redis.holdNext(wait);
    }
    const answers = await Promise.all(twenty);
    const later = await login();
    const said = Object.entries(Object.groupBy([...answers, later], ({ status }) => status)).map(
      ([status, each]) => `${each?.length ?? 0} times ${status}`,
    );
    const longest = Math.max(...[...answers, later].map(({ took }) => took));
    console.log(
      `slow-answer: 21 sign-ins, an answer held for ${wait} ms after ${moment} ms: ${said.join(', ')}; ${longest} ms at most`,
    );
    if ([...answers, later].some(({ status }) => status === 429))
      wrong.push(`a right password was refused because others were under way (answer held for ${wait} ms)`);
    if (wait === 0 && answers.some(({ status }) => status !== 200)) wrong.push('not all of twenty sign-ins succeed');
  }
  return wrong;
}

/**
 * A single answer of Redis takes longer than the service waits, in the middle of load.
 * @returns what is wrong
 */
export async function slowAnswer(): Promise<string[]> {
  const stores = await startStores();
  const redis = await startSlowProxy(Number(new URL(stores.variables.REDIS_URL).port));
  const rows: number[] = [];
  const postgres = await startSlowProxy(Number(new URL(stores.postgres.url).port), (piece) => {
    // The statement that `isTokenCurrent` sends.
    if (piece.includes('select true as alive')) rows.push(Date.now());
  });
  const database = new URL(stores.postgres.url);
  database.port = String(postgres.port);
  const locks = new Set<string>(lockoutNames.map(lockoutVariable));
  const open = Object.fromEntries(Object.entries(unlimited).filter(([name]) => !locks.has(name)));
  const service = await startService(await freePort(), {
    ...open,
    ENVIRONMENT: 'dev',
    DATABASE_URL: database.href,
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    WORKERS: '1',
    LOG_LEVEL: 'error',
  });
  try {
    return [...(await signIns(service, redis)), ...(await verification(service, redis, rows))];
  } finally {
    await service.stop();
    await Promise.all([redis.stop(), postgres.stop()]);
    await stores.remove();
  }
}
