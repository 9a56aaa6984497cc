/**
 * `npm run check:replicas`: two replicas on Node, the second of two processes, with one Postgres and one Redis behave as
 * one: limits, revocation, metrics, and the scheduled work, which takes its first minute.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../dev/ports.ts';
import { password, send, tokens } from './support/client.ts';
import { expect } from './support/report.ts';
import { type Service, startService, unlimited } from './support/service.ts';
import { startStores } from './support/stores.ts';

const ends: (() => Promise<unknown>)[] = [];
const limit = 12;
const metricsToken = crypto.randomUUID();

/** Of twice as many requests as the limit lets in, spread over both, so many get through and the others do not. */
async function limits(replicas: readonly Service[]): Promise<void> {
  const credentials = () => ({ identifier: crypto.randomUUID(), password });
  const asked = Array.from({ length: 2 * limit }, (_, index) => replicas[index % replicas.length]);
  const statuses: number[] = [];
  for (const replica of asked) {
    if (replica !== undefined)
      statuses.push((await send(replica.base, 'POST', '/auth/login', { body: credentials() })).status);
  }
  const count = (status: number) => statuses.filter((each) => each === status).length;
  expect(`of ${2 * limit} sign-ins, alternately, ${limit} are let in`, [count(401), count(429)], [limit, limit]);
}

/** A session that was ended at one is refused by the other at once, and lives on at neither. */
async function revocation([first, second]: readonly [Service, Service]): Promise<void> {
  const credentials = { email: 'ann@example.com', password };
  const registered = await send(first.base, 'POST', '/auth/register', { body: credentials });
  const { access_token: access, refresh_token: refresh } = tokens.parse(registered.answer);
  const verify = async () =>
    (
      await Promise.all([first, second].map(({ base }) => send(base, 'GET', '/auth/verify-token', { bearer: access })))
    ).map(({ status }) => status);
  expect('a token of the one is good at both', await verify(), [200, 200]);
  const refreshed = await send(second.base, 'POST', '/auth/refresh', { body: { refresh_token: refresh } });
  expect('a session of the one is refreshed at the other', refreshed.status, 200);
  const { refresh_token: newer } = tokens.parse(refreshed.answer);
  await send(second.base, 'POST', '/auth/logout', { body: { refresh_token: newer } });
  expect('signed out at the other, it is refused at both', await verify(), [401, 401]);
}

/** What all three processes counted of the above, whichever of them is asked. */
async function metrics(replicas: readonly Service[]): Promise<void> {
  const wanted = {
    'edge_auth_rate_limit_hits_total{policy="login_address",result="allowed"}': limit,
    'edge_auth_rate_limit_hits_total{policy="login_address",result="refused"}': limit,
    'edge_auth_logins_total{result="invalid_credentials"}': limit,
    'edge_auth_http_requests_total{method="POST",route="/auth/login",status="429"}': limit,
    'edge_auth_http_requests_total{method="GET",route="/auth/verify-token",status="200"}': 2,
    'edge_auth_http_requests_total{method="GET",route="/auth/verify-token",status="401"}': 2,
    'edge_auth_tokens_issued_total{grant="refresh_token"}': 1,
  };
  // Each process adds what it has counted once a second.
  await sleep(2500);
  for (const { base, port } of replicas) {
    const { answer } = await send(base, 'GET', '/metrics', { bearer: metricsToken });
    const lines = new Map(
      String(answer)
        .split('\n')
        .map((line): [string, number] => {
          const end = line.lastIndexOf(' ');
          return [line.slice(0, end), Number(line.slice(end + 1))];
        }),
    );
    const found = Object.fromEntries(Object.keys(wanted).map((series) => [series, lines.get(series)]));
    expect(`the sums of all processes, told at ${port}`, found, wanted);
  }
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
  const stores = await startStores();
  ends.push(stores.remove);
  const variables = {
    ...unlimited,
    ...stores.variables,
    // A day, of which nothing passes while they are asked: the window slides.
    LIMIT_LOGIN_ADDRESS: `${limit}/86400`,
    METRICS_TOKEN: metricsToken,
    METRICS_INTERVAL: '1',
    LOG_LEVEL: 'info',
  };
  const first = await startService(await freePort(), { ...variables, WORKERS: '1' });
  ends.push(first.stop);
  const second = await startService(await freePort(), { ...variables, WORKERS: '2' });
  ends.push(second.stop);
  await limits([first, second]);
  await revocation([first, second]);
  await metrics([first, second]);
  await scheduled([first, second]);
} finally {
  for (const end of ends.toReversed()) await end();
}
