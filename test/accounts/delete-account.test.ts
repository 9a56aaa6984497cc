import { sql } from 'drizzle-orm';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { query } from '../../src/db/database.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { everyRow, lastingRows } from '../support/dump.ts';
import { createClock, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { ask, login } from '../tokens/sessions-under-test.ts';

const canary = {
  email: 'canary.bird@canary.example',
  username: 'canary-bird',
  name: 'Canary-Name',
  surname: 'Canary-Surname',
  phone_number: '+14155550199',
};
const browser = { 'User-Agent': 'CanaryBrowser/1.0' };
const address = '203.0.113.77';

const remove = ({ request }: TestApp, token: string, typed = password) =>
  request('DELETE', '/users/delete-account', { token, body: { password: typed }, headers: browser, address });

describe('deleting the account', () => {
  it('leaves nothing of the person in any table, but an anonymous note that somebody left', async () => {
    const app = await testApp();
    const { db, newId } = app.deps;
    const other = await registerUser(app);
    const body = { ...canary, password };
    const { body: user } = await app.request('POST', '/auth/register', { body, headers: browser, address });
    const { id } = user.user;
    const signIn = (typed: string) =>
      app.request('POST', '/auth/login', {
        body: { email: canary.email, password: typed },
        headers: browser,
        address,
      });
    await signIn('wrong password');
    const { body: second } = await signIn(password);
    await app.request('POST', '/auth/refresh', { body: { refresh_token: second.refresh_token } });
    await app.request('POST', '/auth/logout', { token: second.access_token, headers: browser, address });
    await app.request('POST', '/auth/reauthenticate', { token: user.access_token, body: { password } });
    expect((await remove(app, user.access_token, 'wrong password')).body.code).toBe('wrong_password');
    const now = sql`now()`;
    await db.execute(sql`insert into one_time_tokens (id, purpose, user_id, email_index, token_hash, created_at, expires_at)
      values (${newId()}::uuid, 'reset_password', ${id}::uuid, 'canary-index', 'canary-hash', ${now}, ${now})`);
    await db.execute(sql`insert into outbox (id, kind, type, subject, payload_sealed, created_at, next_attempt_at, delivered_at)
      values (${newId()}::uuid, 'email', 'verify', ${id}::uuid, 'canary-mail', ${now}, ${now}, null),
        (${newId()}::uuid, 'event', 'login', ${id}::uuid, 'canary-event', ${now}, ${now}, ${now})`);
    const { rows } = z
      .object({ rows: z.array(z.record(z.string(), z.unknown())) })
      .parse(await db.execute(sql`select * from users where id = ${id}::uuid`));
    const stored = Object.entries(rows[0] ?? {}).flatMap(([column, value]) =>
      typeof value === 'string' && value.length > 8 && !/_at$/.test(column) ? [value] : [],
    );
    expect(stored.length).toBeGreaterThan(5);
    const sessions = [user, second].map(({ access_token }) => String(decodeJwt(access_token)['sid']));
    const traces = [id, ...sessions, ...stored, ...Object.values(canary), '203.0.113', 'anary', password];
    const before = await everyRow(app);
    for (const trace of [id, ...sessions, '203.0.113', 'anary']) expect(before.join('\n')).toContain(trace);

    const { status, body: answer, headers } = await remove(app, user.access_token);
    expect([status, answer, headers.get('Cache-Control')]).toEqual([200, { message: 'Account deleted' }, 'no-store']);
    expect((await everyRow(app)).filter((row) => row.startsWith('public.session_endings '))).toHaveLength(1);
    // Its last access token has expired.
    app.clock.advance(1200);
    await app.app.runScheduled();
    const after = await everyRow(app);
    for (const trace of traces)
      expect(
        after.filter((row) => row.includes(trace)),
        trace,
      ).toEqual([]);
    const audit = await query(
      db,
      z.object({ type: z.string(), anonymous: z.boolean() }),
      sql`select type, coalesce(user_id, session_id) is null and coalesce(address, user_agent) is null as anonymous
        from audit_log where user_id is distinct from ${other.id}::uuid order by id`,
    );
    expect(audit.every(({ anonymous }) => anonymous)).toBe(true);
    expect(audit.filter(({ type }) => type === 'account_deleted')).toHaveLength(2);
    expect(after.join('\n')).toContain(other.id);
    expect(app.logLines.join('\n')).not.toMatch(/anary|203\.0\.113|correct horse/);
  });

  it('refuses every token of the account at once, and its name is free again', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    const old = await login(app, user.email);
    await ask(app, user.access);
    app.clock.advance(400);
    const fresh = await login(app, user.email);
    expect((await remove(app, fresh.access)).status).toBe(200);
    for (const { access, refresh } of [user, old, fresh]) {
      expect(await ask(app, access)).toBe(401);
      expect((await app.request('POST', '/auth/refresh', { body: { refresh_token: refresh } })).status).toBe(401);
      expect((await remove(app, access)).status).toBe(401);
    }
    const body = { email: user.email, password };
    expect((await app.request('POST', '/auth/login', { body })).status).toBe(401);
    expect((await app.request('POST', '/auth/register', { body })).status).toBe(201);
  });

  it('asks for no second proof of the password that comes with it', async () => {
    const app = await testApp();
    const { access } = await registerUser(app);
    app.clock.advance(601);
    expect((await remove(app, access)).status).toBe(200);
  });

  it('needs the password, and one that is still the right one', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    expect((await app.request('DELETE', '/users/delete-account', { token: user.access, body: {} })).status).toBe(422);
    expect((await remove(app, user.access, 'wrong password')).body.code).toBe('wrong_password');
    const { hasher } = app.deps;
    const body = { current_password: password, new_password: 'a quieter pony on the stairs' };
    const slow = await testApp({
      databaseUrl: app.databaseUrl,
      clock: app.clock,
      hasher: {
        ...hasher,
        async verify(...typed) {
          await app.request('POST', '/users/change-password', { token: user.access, body });
          return await hasher.verify(...typed);
        },
      },
    });
    expect((await remove(slow, user.access)).body.code).toBe('wrong_password');
    expect((await app.request('GET', '/users/me', { token: user.access })).status).toBe(200);
  });
});

describe('at the same time as everything else', () => {
  it('leaves no session, and no audit row that names the user', async () => {
    const clock = createClock();
    const variables = {
      LOCKOUT_ACCOUNT_ADDRESS: '1000/60/60/60',
      LIMIT_LOGIN_ADDRESS: '1000/60',
      LIMIT_REGISTER_ADDRESS: '99/60',
    };
    const options = { clock, kv: createMemoryKeyValue(clock), variables };
    const one = await testApp(options);
    const other = await testApp({ ...options, databaseUrl: one.databaseUrl });
    // Statements that write an audit row stop there for a moment: what may meet halfway does.
    await one.deps.db.execute(`create function slow() returns trigger language plpgsql as
      'begin perform pg_sleep(random() * 0.03); return new; end'`);
    await one.deps.db.execute('create trigger slow before insert on audit_log for each row execute function slow()');
    for (let round = 0; round < 8; round += 1) {
      const user = await registerUser(one);
      const [second, third] = [await login(one, user.email), await login(one, user.email)];
      const signIn = (app: TestApp, typed: string) =>
        app.request('POST', '/auth/login', { body: { email: user.email, password: typed } });
      const [deleted, ...answers] = await Promise.all([
        remove(one, user.access),
        ...[one, other, one, other].map((app) => signIn(app, password)),
        ...[one, other].map((app) => signIn(app, 'wrong password')),
        remove(other, second.access, 'wrong password'),
        other.request('POST', '/auth/logout-all', { token: second.access }),
        one.request('POST', '/auth/logout', { body: { refresh_token: third.refresh } }),
        other.request('POST', '/auth/refresh', { body: { refresh_token: second.refresh } }),
        other.request('POST', '/auth/reauthenticate', { token: third.access, body: { password } }),
      ]);
      for (const { status } of answers) expect([200, 401, 422]).toContain(status);
      // The end of all sessions may have come first; it stops no deletion of a caller whom the gate let in.
      expect([200, 401]).toContain(deleted.status);
      if (deleted.status !== 200) continue;
      const ids = answers.flatMap(({ body }) => (body.access_token ? [decodeJwt(body.access_token)['sid']] : []));
      const rows = (await lastingRows(one)).join('\n');
      for (const trace of [user.id, ...ids.map(String)]) expect(rows).not.toContain(trace);
      for (const { body } of answers.filter(({ body }) => body.access_token)) {
        expect((await other.request('GET', '/users/me', { token: body.access_token })).status).toBe(401);
      }
    }
  });
});
