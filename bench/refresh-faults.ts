/**
 * `npm run check:refresh-faults`: clients that behave refresh their tokens while what lies between the service and
 * Postgres holds statements up, lets them overtake each other, loses answers and falls silent; on Node (two replicas,
 * TCP) and on the Worker (Neon's HTTP). None is ever signed out. Afterwards a thief shows an old token of each session,
 * and every one ends.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startNeonEndpoint } from '../dev/neon-endpoint.ts';
import { freePort } from '../dev/ports.ts';
import { password, send, tokens } from './support/client.ts';
import { startDevWorker } from './support/dev-worker.ts';
import { type FaultProxy, startFaultProxy } from './support/fault-proxy.ts';
import { beHonest } from './support/honest-client.ts';
import { expect } from './support/report.ts';
import { benchSecret, startService, unlimited } from './support/service.ts';
import { startStores } from './support/stores.ts';

const clients = 24;
/** Milliseconds. Faults come and go, as outages do that an obedient client can sit out. */
const [duration, faulty, calm] = [32_000, 3000, 5000];
const ends: (() => Promise<unknown>)[] = [];

async function register(base: string): Promise<string> {
  const body = { email: `${crypto.randomUUID()}@example.com`, password };
  return tokens.parse((await send(base, 'POST', '/auth/register', { body })).answer).refresh_token;
}

async function check(name: string, bases: readonly string[], proxies: readonly FaultProxy[]): Promise<void> {
  const firsts: string[] = [];
  for (let n = 0; n < clients; n += 1) firsts.push(await register(bases[n % bases.length] ?? ''));
  const begun = Date.now();
  const isOver = () => Date.now() - begun > duration;
  const weather = setInterval(() => {
    const isFaulty = !isOver() && (Date.now() - begun) % (faulty + calm) < faulty;
    for (const proxy of proxies) proxy.active = isFaulty;
  }, 50);
  const outcomes = await Promise.all(firsts.map((first) => beHonest(bases, first, isOver))).finally(() =>
    clearInterval(weather),
  );
  for (const proxy of proxies) proxy.active = false;
  const sum = (of: (outcome: (typeof outcomes)[number]) => number) => outcomes.reduce((all, one) => all + of(one), 0);
  const done = proxies.map((proxy) => proxy.done);
  console.log(
    `${name}: ${sum(({ attempts }) => attempts)} refreshes, ${sum((one) => one.refusals)} of them without tokens, ` +
      `${sum((one) => one.tokens.length - 1)} steps; held, lost, silent: ${JSON.stringify(done)}`,
  );
  expect(
    `${name}: faults happened`,
    done.every(({ held, lost }) => held > 0 && lost > 0),
    true,
  );
  expect(
    `${name}: honest clients that were signed out`,
    sum(({ signedOut }) => Number(signedOut)),
    0,
  );

  // What still was under way has arrived by then, and no request of an honest client overlaps with the thief's.
  await sleep(6000);
  const refresh = (token: string) =>
    send(bases[0] ?? '', 'POST', '/auth/refresh', { body: { refresh_token: token } }).then(({ status }) => status);
  const statuses = { honest: new Set<number>(), thief: new Set<number>(), after: new Set<number>() };
  for (const { tokens: held } of outcomes) {
    const answer = await send(bases[0] ?? '', 'POST', '/auth/refresh', { body: { refresh_token: held.at(-1) ?? '' } });
    statuses.honest.add(answer.status);
    const newest = tokens.safeParse(answer.answer).data?.refresh_token ?? '';
    await sleep(50);
    statuses.thief.add(await refresh(held[0] ?? ''));
    statuses.after.add(await refresh(newest));
  }
  expect(`${name}: each goes on with its newest token`, [...statuses.honest], [200]);
  expect(
    `${name}: a thief with an old one is refused, and the session ends`,
    [...statuses.thief, ...statuses.after],
    [401, 401],
  );
}

try {
  const stores = await startStores();
  ends.push(stores.remove);
  const postgres = new URL(stores.postgres.url);
  const through = ({ port }: FaultProxy) => Object.assign(new URL(postgres), { port: String(port) }).href;
  const faults = { hold: 0.15, longest: 6000, lose: 0.05, silence: 0.02 };
  const start = async (target: number) => {
    const proxy = await startFaultProxy(target, faults);
    ends.push(proxy.stop);
    return proxy;
  };

  const proxies = [await start(Number(postgres.port)), await start(Number(postgres.port))];
  const variables = { ...unlimited, ...stores.variables, LOG_LEVEL: 'warn', WORKERS: '1', DATABASE_POOL_SIZE: '20' };
  const replicas = [];
  for (const proxy of proxies) {
    const service = await startService(await freePort(), { ...variables, DATABASE_URL: through(proxy) });
    ends.push(service.stop);
    replicas.push(service.base);
  }
  await check('Node', replicas, proxies);

  const endpoint = await startNeonEndpoint({ postgresUrl: postgres.href });
  ends.push(endpoint.stop);
  const before = await start(endpoint.port);
  const neon = { DATABASE_URL: postgres.href, NEON_HTTP_ENDPOINT: `http://127.0.0.1:${before.port}/sql` };
  const worker = await startDevWorker({ ...unlimited, ...neon, LOG_LEVEL: 'warn', AUTH_SECRET: benchSecret });
  ends.push(worker.stop);
  await check('Worker', [worker.base], [before]);
} finally {
  for (const end of ends.toReversed()) await end();
}
