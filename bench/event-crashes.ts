/**
 * `node bench/event-crashes.ts rabbitmq|queue [users]`: registers users at three processes, which end at every step
 * between the commit of a change and the deletion of its event, over and over, while RabbitMQ is away for a minute in the
 * middle. Then a consumer that dedupes by id has to have seen each user who is in the database once, and nobody else, in
 * order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import * as z from 'zod';
import { freePort } from '../dev/ports.ts';
import { migrate } from '../src/platform/postgres-migrations.ts';
import { type Delivered, startQueueTransport, startRabbitmqTransport } from './support/event-consumers.ts';
import { startOwnPostgres } from './support/own-postgres.ts';
import { benchSecret, unlimited } from './support/service.ts';

const kind = process.argv[2] === 'queue' ? 'queue' : 'rabbitmq';
const users = Number(process.argv[3] ?? 2000);
const replicas = 3;
const speed = 4;
const brokerAway = 60_000;
/** After all registrations are answered: leases have to run out, and the scheduled work to come by. Milliseconds. */
const longestDrain = 120_000;
const steps = ['committed', 'claimed', 'sent', 'confirmed', 'finished'] as const;

const postgres = await startOwnPostgres();
const transport = await (kind === 'queue' ? startQueueTransport() : startRabbitmqTransport());
const origin = Date.now();
const crashes: Record<string, number> = Object.fromEntries(steps.map((step) => [step, 0]));
let ending = false;
let starts = 0;

interface Replica {
  readonly port: number;
  child: ChildProcess | undefined;
}

/** Starts a process again whenever it ends, each time with the next step to end at. */
async function keepAlive(replica: Replica): Promise<void> {
  while (!ending) {
    const step = steps[starts % steps.length] ?? 'committed';
    starts += 1;
    const child = spawn(process.execPath, [join(import.meta.dirname, 'support/crashing-service.ts')], {
      env: {
        PATH: process.env['PATH'],
        ...unlimited,
        AUTH_SECRET: benchSecret,
        ISSUER: 'http://localhost:3000',
        DATABASE_URL: postgres.url,
        DATABASE_POOL_SIZE: '10',
        ...transport.variables,
        PORT: String(replica.port),
        LOG_LEVEL: 'silent',
        CLOCK_ORIGIN: String(origin),
        CLOCK_SPEED: String(speed),
        CRASH_STEP: step,
        // There is one commit for each few of the other steps.
        CRASH_AFTER: String(Math.ceil((0.5 + Math.random()) * (step === 'committed' ? 50 : 150))),
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    replica.child = child;
    const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)));
    if (signal === 'SIGKILL' && !ending) crashes[step] = (crashes[step] ?? 0) + 1;
  }
}

/** One after the other, at any replica that answers. */
async function registerSome(count: number, name: string, answers: Map<number, number>): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const body = { username: `${name}-${n}`, password: 'correct horse battery staple' };
    for (let tries = 0; tries < 2000; tries += 1) {
      const port = ports[(tries + n) % ports.length];
      try {
        const request = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
        const answer = await fetch(`http://127.0.0.1:${port}/auth/register`, request);
        answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
        // Whose answer was lost is told so, and is there.
        if (answer.status !== 201) break;
        const registered = z.object({ access_token: z.string() }).parse(await answer.json());
        if (n % 2 === 0) {
          const change = { ...request, method: 'PUT', body: JSON.stringify({ name: 'Ann' }) };
          const headers = { ...request.headers, Authorization: `Bearer ${registered.access_token}` };
          await fetch(`http://127.0.0.1:${port}/users/profile`, { ...change, headers });
        }
        break;
      } catch {
        await sleep(50);
      }
    }
  }
}

await migrate(postgres.url);
const ports = await Promise.all(Array.from({ length: replicas }, () => freePort()));
const members = ports.map((port): Replica => ({ port, child: undefined }));
const kept = members.map(keepAlive);
const answers = new Map<number, number>();
let problems: string[] = [];
try {
  const clients = 8;
  const registering = Promise.all(
    Array.from({ length: clients }, (_, n) => registerSome(Math.ceil(users / clients), `user${n}`, answers)),
  );
  const pool = new pg.Pool({ connectionString: postgres.url, max: 2 });
  const count = async (statement: string) => Number((await pool.query(statement)).rows[0]?.count);
  const registered = () => count('select count(*) from users');
  while ((await registered()) < users / 3) await sleep(100);
  const before = await registered();
  let during = 0;
  if (transport.outage !== undefined) {
    await transport.outage.begin();
    console.log(`RabbitMQ is gone at ${before} users`);
    await sleep(brokerAway);
    during = (await registered()) - before;
    await transport.outage.end();
    console.log(`RabbitMQ is back: ${during} users registered meanwhile`);
  }
  await registering;
  console.log(`registered ${await registered()}; answers ${JSON.stringify([...answers])}`);
  const until = Date.now() + longestDrain;
  const open = () => count(`select count(*) from outbox where kind = 'event'`);
  while ((await open()) > 0 && Date.now() < until) await sleep(500);
  await sleep(1000);
  const { rows } = await pool.query<{ id: string }>('select id from users');
  const left = await open();
  await pool.end();

  const deliveries = await transport.deliveries();
  // By id, in the order in which they came first.
  const seen = new Map<string, Delivered>();
  for (const event of deliveries) if (!seen.has(event.id)) seen.set(event.id, event);
  const events = [...seen.values()];
  const sequences = Map.groupBy(events, ({ subject }) => subject);
  const ids = new Set(rows.map(({ id }) => id));
  const wrong = rows.filter(({ id }) => {
    const types = sequences.get(id)?.map(({ type }) => type) ?? [];
    return !['UserCreated,SessionStarted', 'UserCreated,SessionStarted,UserUpdated'].includes(types.join());
  });
  const strangers = [...sequences.keys()].filter((id) => !ids.has(id));
  problems = [
    ...(left > 0 ? [`${left} events are left`] : []),
    ...(ids.size < users ? [`only ${ids.size} of ${users} users`] : []),
    ...(transport.outage !== undefined && during === 0 ? ['nobody registered while RabbitMQ was away'] : []),
    ...(wrong.length > 0
      ? [
          `${wrong.length} users not told of as they should be, such as ${sequences.get(wrong[0]?.id ?? '')?.map(({ type }) => type)}`,
        ]
      : []),
    ...(strangers.length > 0 ? [`${strangers.length} users who are not in the database`] : []),
    ...steps.filter((step) => crashes[step] === 0).map((step) => `no process ended when ${step}`),
  ];
  console.log(`crashes ${JSON.stringify(crashes)}`);
  console.log(
    `${ids.size} users in the database, ${events.length} events, ${deliveries.length - events.length} deliveries repeated, ` +
      `${left} left, ${Math.round((Date.now() - origin) / 1000)} s`,
  );
} finally {
  ending = true;
  for (const { child } of members) child?.kill('SIGKILL');
  await Promise.all(kept);
  await transport.remove();
  await postgres.remove();
}
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'every committed user was told of, once and in order' : 'FAILED');
process.exit(problems.length === 0 ? 0 : 1);
