/**
 * `npm run check:many-sessions`: one account with 500,000 open sessions and as many rows in the audit log. Every request
 * about it stays within bounds of rows that it reads and writes, also those that end all sessions, and prints how long it
 * took; a thief who holds one of the sessions is out after each.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import * as z from 'zod';
import { freePort } from '../dev/ports.ts';
import { hashToken } from '../src/tokens/one-time-token.ts';
import { type Answer, password, send, tokens } from './support/client.ts';
import { expect } from './support/report.ts';
import { startService, unlimited } from './support/service.ts';
import { startStores } from './support/stores.ts';

const many = 500_000;
/** Rows that one request may read, and write. A statement ends 1,000 sessions at most, and each is two rows then. */
const bounds = { read: 12_000, written: 4100 };
const ends: (() => Promise<unknown>)[] = [];
const signedIn = tokens.extend({ user: z.object({ id: z.uuid() }) });
const rowsSchema = z.object({ read: z.coerce.number(), written: z.coerce.number() });

try {
  const stores = await startStores();
  ends.push(stores.remove);
  const client = new pg.Client({ connectionString: stores.postgres.url });
  const service = await startService(await freePort(), {
    ...unlimited,
    ...stores.variables,
    LOG_LEVEL: 'warn',
    WORKERS: '1',
    // What it reads and writes, it tells by its one connection.
    DATABASE_POOL_SIZE: '1',
  });
  ends.push(service.stop);
  await client.connect();
  ends.push(() => client.end());
  const ask = (method: string, path: string, sent: { body?: object; bearer?: string } = {}) =>
    send(service.base, method, path, sent, 60_000);

  const email = 'ann@example.com';
  const owner = signedIn.parse((await ask('POST', '/auth/register', { body: { email, password } })).answer);
  const { id } = owner.user;
  const boss = signedIn.parse(
    (await ask('POST', '/auth/register', { body: { email: 'boss@example.com', password } })).answer,
  );
  await client.query(`update users set roles = '{admin,user}' where id = $1`, [boss.user.id]);
  const admin = await signIn('boss@example.com', password);
  const filling = Date.now();
  await client.query(
    `insert into sessions (id, user_id, client_id, scope, epoch, rotated_at, authenticated_at, created_at, expires_at)
      select uuidv7(make_interval(secs => -n / 10)), $1, 'first-party', 'account', 0, now(), now(), now(),
        now() + interval '30 days' from generate_series(1, $2::int) n`,
    [id, many],
  );
  await client.query(
    `insert into audit_log (id, type, result, user_id, address, created_at)
      select uuidv7(make_interval(secs => -n / 10)), 'login', 'success', $1, '192.0.2.0/24', now()
      from generate_series(1, $2::int) n`,
    [id, many],
  );
  await client.query('vacuum analyze');
  console.log(`${many} sessions and audit rows of one account, filled in ${Date.now() - filling} ms`);

  let mine = await signIn(email, password);
  let current = password;
  const thief = { ...(await signIn(email, current)) };
  await measure('sign in', () => ask('POST', '/auth/login', { body: { identifier: email, password: current } }));
  await measure('refresh', () => ask('POST', '/auth/refresh', { body: { refresh_token: owner.refresh_token } }));
  await measure('a page of sessions', () => ask('GET', '/users/sessions', { bearer: mine.access_token }));
  await measure('a page of activity', () => ask('GET', '/users/activity', { bearer: mine.access_token }));
  const prove = () => ask('POST', '/auth/reauthenticate', { bearer: mine.access_token, body: { password: current } });
  await measure('prove the password', prove);
  await measure("an admin's page of sessions", () =>
    ask('GET', `/admin/users/${id}/sessions`, { bearer: admin.access_token }),
  );
  await expectOut('change the password', async () => {
    const body = { current_password: current, new_password: 'another battery staple' };
    current = body.new_password;
    return await ask('POST', '/users/change-password', { bearer: mine.access_token, body });
  });
  await measure('a page of sessions, of which one lives', () =>
    ask('GET', '/users/sessions', { bearer: mine.access_token }),
  );
  await expectOut('sign out everywhere', () =>
    ask('POST', '/auth/logout-all', { bearer: mine.access_token, body: {} }),
  );
  await expectOut('reset the password', async () => {
    const token = randomBytes(32).toString('base64url');
    await client.query(
      `insert into one_time_tokens (id, purpose, user_id, email_index, token_hash, created_at, expires_at)
        select gen_random_uuid(), 'reset_password', id, email_index, $2, now(), now() + interval '1 hour'
        from users where id = $1`,
      [id, await hashToken(token)],
    );
    current = 'a third battery staple';
    return await ask('POST', '/auth/reset-password', { body: { token, password: current } });
  });
  for (const action of ['revoke-sessions', 'disable', 'enable', 'force-password-reset']) {
    await expectOut(`an admin's ${action}`, () =>
      ask('POST', `/admin/users/${id}/${action}`, { bearer: admin.access_token }),
    );
  }
  await expectOut('deletion', () => ask('DELETE', `/admin/users/${id}`, { bearer: admin.access_token }));

  const { rows } = await client.query('select count(*)::int as left from sessions where user_id = $1', [id]);
  console.log(`left for the scheduled work after the deletion: ${rows[0].left} sessions, all dead`);

  async function signIn(identifier: string, typed: string) {
    return signedIn.parse((await ask('POST', '/auth/login', { body: { identifier, password: typed } })).answer);
  }

  /** What the request read and wrote, as Postgres counts it; its process tells that a second later at most. */
  async function measure(name: string, request: () => Promise<Answer>): Promise<void> {
    await client.query('select pg_stat_force_next_flush()');
    await ask('GET', '/readyz');
    const before = await counters();
    const begun = performance.now();
    const { status } = await request();
    const took = Math.round(performance.now() - begun);
    await sleep(1100);
    await ask('GET', '/readyz');
    const after = await counters();
    const rows = { read: after.read - before.read, written: after.written - before.written };
    const isWithin = status < 300 && rows.read <= bounds.read && rows.written <= bounds.written;
    expect(`${name}: ${took} ms, ${rows.read} rows read, ${rows.written} written`, isWithin, true);
  }

  async function counters() {
    await client.query('select pg_stat_clear_snapshot()');
    const { rows } = await client.query(`select
      sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) as read, sum(n_tup_ins + n_tup_upd + n_tup_del) as written
      from pg_stat_user_tables where relname in ('sessions', 'audit_log', 'one_time_tokens', 'users', 'outbox', 'session_endings')`);
    return rowsSchema.parse(rows[0]);
  }

  /** All sessions are open as never before, the thief's among them; after the request the thief is out. */
  async function expectOut(name: string, request: () => Promise<Answer>): Promise<void> {
    await client.query('update users set status = $2 where id = $1 and status <> $2', [id, 'active']);
    if (name.includes('enable')) await client.query(`update users set status = 'disabled' where id = $1`, [id]);
    // One row instead of 500,000: the epoch goes back to that of the sessions.
    await client.query('update users set session_epoch = 0 where id = $1', [id]);
    await client.query(
      'update sessions set ended_at = null, ended_reason = null, epoch = 0 where ended_at is not null',
    );
    await client.query('update sessions set epoch = 0 where epoch <> 0 and user_id = $1', [id]);
    if (!name.startsWith('an admin') && name !== 'deletion') mine = await signIn(email, current);
    await measure(name, request);
    if (name.includes('enable')) return;
    const refreshed = await ask('POST', '/auth/refresh', { body: { refresh_token: thief.refresh_token } });
    const verified = await ask('GET', '/auth/verify-token', { bearer: thief.access_token });
    expect(`${name}: the thief is out`, [refreshed.status, verified.status], [401, 401]);
  }
} finally {
  for (const end of ends.toReversed()) await end();
}
