/**
 * `npm run check:pgbouncer`: migrations and the service go through Debian's PgBouncer in transaction mode, with its
 * default settings: a load that fails nowhere, no setting left in a session, and a statement that hangs is cancelled.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from '../dev/ports.ts';
import { password, send } from './support/client.ts';
import { startOwnPostgres } from './support/own-postgres.ts';
import { startPgBouncer } from './support/pgbouncer.ts';
import { assert, expect } from './support/report.ts';
import { startService, unlimited } from './support/service.ts';
import { startLoad, tally } from './support/start-load.ts';

const ends: (() => Promise<unknown>)[] = [];

async function migrations(databaseUrl: string): Promise<void> {
  const run = async (step: 'up' | 'down') => {
    const env = { ...process.env, DATABASE_URL: databaseUrl };
    return (await promisify(execFile)(process.execPath, ['src/cli/migrate.ts', step], { env })).stdout.trim();
  };
  expect('migrations through the pooler', await run('up'), 'The schema is up to date');
  assert((await run('down')).startsWith('Rolled back: '), 'one step is taken back through it');
  await run('up');
}

/** Somebody holds the users: a sign-in is given up, and leaves nothing behind that waits. */
async function hangingStatement(base: string, direct: pg.Client): Promise<void> {
  await direct.query('begin; lock table users in access exclusive mode');
  const waiting = `select count(*)::int as count from pg_stat_activity where wait_event_type = 'Lock'`;
  const begun = performance.now();
  const signIn = send(base, 'POST', '/auth/login', { body: { identifier: 'ann@example.com', password } });
  const { status, retryAfter } = await signIn;
  expect('a sign-in whose statement hangs', [status, retryAfter !== null], [503, true]);
  console.log(`it was given up after ${Math.round(performance.now() - begun)} ms`);
  let count = 1;
  for (let tries = 0; count > 0 && tries < 100; tries += 1) {
    count = Number((await direct.query(waiting)).rows[0]?.count);
    await sleep(50);
  }
  await direct.query('rollback');
  expect('statements that still wait in Postgres', count, 0);
  const after = await send(base, 'POST', '/auth/login', { body: { identifier: 'ann@example.com', password } });
  expect('a sign-in afterwards', after.status, 200);
}

async function check(): Promise<void> {
  const postgres = await startOwnPostgres();
  ends.push(postgres.remove);
  const pooler = await startPgBouncer(postgres.url);
  ends.push(pooler.stop);
  await migrations(pooler.url);
  const variables = { ...unlimited, DATABASE_URL: pooler.url, LOG_LEVEL: 'error', DATABASE_POOL_SIZE: '30' };
  const service = await startService(await freePort(), variables);
  ends.push(service.stop);
  const registered = await send(service.base, 'POST', '/auth/register', {
    body: { email: 'ann@example.com', password },
  });
  expect('a registration', registered.status, 201);
  const load = startLoad(service.base, 6, 8, 5);
  const counts = tally(await load.done);
  console.log(`under load: ${JSON.stringify(counts)}`);
  expect('kinds of answers', Object.keys(counts).sort(), ['200', '201']);

  const direct = new pg.Client({ connectionString: postgres.url });
  await direct.connect();
  ends.push(() => direct.end());
  // PgBouncer itself tells Postgres the name of each client's application.
  const set = `select coalesce(string_agg(name, ' ' order by name), '') as names from pg_settings 
    where source = 'session' and name <> 'application_name'`;
  const pooled = new pg.Pool({ connectionString: pooler.url, max: 10 });
  ends.push(() => pooled.end());
  const left = await Promise.all(Array.from({ length: 10 }, async () => (await pooled.query(set)).rows[0]?.names));
  expect('settings that the service left in sessions of the pooler', [...new Set(left)], ['']);
  await hangingStatement(service.base, direct);
  assert(service.events('internal_error').length === 0, 'no error is logged that nobody foresaw');
}

try {
  await check();
} finally {
  for (const end of ends.toReversed()) await end();
}
