// Node only: what Postgres makes of a statement does not depend on the driver that sends it.
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { importUsers } from '../../src/accounts/import.ts';
import { importedUser } from '../../src/accounts/import-schema.ts';
import { type Mailer, MailUndelivered } from '../../src/mailer.ts';
import { registerAdmin } from '../support/admin.ts';
import { enqueueMails, people as recipients } from '../support/enqueued-mails.ts';
import { collectingSink, webhooks } from '../support/events.ts';
import { secretsTo } from '../support/mail.ts';
import { testSecret } from '../support/secret.ts';
import {
  createDatabase,
  password,
  registerUser,
  type TestApp,
  type TestAppOptions,
  testApp,
} from '../support/test-app.ts';
import { withClient } from './catalog.ts';
import { fullReads, type Statement } from './explain.ts';

/** What a statement does, in short: each verb with its table, in the order they stand. */
function outline({ sql }: Statement): string {
  const parts = [...sql.matchAll(/\b(insert into|update|delete from|from|join) "(\w+)"/g)];
  return parts.map(([, verb, table]) => `${verb} ${table}`).join(', ') || sql;
}

/** Enough for the planner to take to the indexes. `npm run check:pages` looks at the lists with ten times as many. */
const people = 20_000;
/**
 * One session and one audit row for every other person; half of the sessions have ended. One person in 20 is disabled, one
 * in 1,000 has a role that is rare.
 */
const fill = `
  insert into users (id, username, username_key, email_index, phone_index, status, roles, created_at, updated_at)
    select gen_random_uuid(), 'user' || n, 'user' || n, md5(n::text), md5('phone' || n),
      case when n % 20 = 0 then 'disabled' else 'active' end,
      case when n % 1000 = 0 then '{editor,user}'::text[] else '{user}'::text[] end, now(), now()
    from generate_series(1, ${people}) n;
  insert into sessions (id, user_id, client_id, scope, epoch, rotated_at, authenticated_at, created_at, expires_at, ended_at)
    select gen_random_uuid(), id, 'first-party', 'account', 0, now(), now(), now(), now() + interval '30 days',
      case when random() < 0.5 then now() - random() * interval '30 days' end
    from users limit ${people / 2};
  insert into audit_log (id, type, result, user_id, session_id, created_at)
    select gen_random_uuid(), case when random() < 0.9 then 'login' else 'logout' end,
      case when random() < 0.95 then 'success' else 'failure' end, user_id, id, created_at from sessions;
  insert into one_time_tokens (id, purpose, user_id, email_index, token_hash, created_at, expires_at)
    select gen_random_uuid(), 'verify_email', id, email_index, email_index, now(), now() + interval '1 day' from users limit 10000;
  insert into code_attempts select 'verify_email:' || n, 1, now() from generate_series(1, 10000) n;
  insert into outbox (id, kind, type, subject, payload_sealed, created_at, next_attempt_at, delivered_at)
    select gen_random_uuid(), 'email', 'verify_email', id, '', now(), now(), now() from users limit 10000;
  insert into outbox (id, kind, type, sink, subject, payload_sealed, created_at, next_attempt_at)
    select gen_random_uuid(), 'event', 'UserCreated', 'webhook:other', id, '', now(), now() + interval '1 hour'
    from users limit 10000;`;

/** Every statement there is. One that is new stands here too: what it does, and that its plan was looked at. */
const expected = [
  'create temporary table edge_auth_readiness on commit drop as select n from generate_series(1, 400) as n',
  'delete from audit_log, from audit_log',
  'delete from code_attempts, from code_attempts',
  'delete from one_time_tokens, from one_time_tokens, from outbox',
  'delete from outbox',
  'delete from outbox, from outbox',
  'delete from outbox, from users, insert into audit_log, insert into outbox',
  'delete from outbox, insert into one_time_tokens, insert into outbox',
  'delete from outbox, insert into one_time_tokens, insert into outbox, insert into audit_log, from users',
  'delete from session_endings',
  'delete from sessions, from sessions',
  'delete from sessions, from sessions, update audit_log, from audit_log, from audit_log',
  'delete from signing_keys',
  'from audit_log',
  'from audit_log, from audit_log, from users',
  'from one_time_tokens',
  'from one_time_tokens, from outbox',
  'from one_time_tokens, insert into code_attempts, from one_time_tokens',
  'from one_time_tokens, insert into users, from users, delete from one_time_tokens, update one_time_tokens, insert into audit_log',
  'from one_time_tokens, insert into users, from users, delete from one_time_tokens, update one_time_tokens, update one_time_tokens, insert into audit_log',
  'from outbox',
  'from outbox, update outbox, insert into audit_log',
  'from outbox, update outbox, update one_time_tokens',
  'from roles',
  'from session_endings',
  'from sessions, from session_endings',
  'from sessions, join users',
  'from sessions, join users, from users',
  'from signing_keys',
  'from users',
  'from users, delete from one_time_tokens, update users, from audit_log, insert into session_endings, insert into audit_log, update users, update sessions, from sessions, insert into session_endings, delete from one_time_tokens, insert into audit_log, insert into one_time_tokens, insert into outbox',
  'from users, delete from one_time_tokens, update users, update sessions, from sessions, insert into session_endings, delete from one_time_tokens, insert into audit_log, insert into outbox',
  'from users, from roles, join roles, from roles, update users, delete from one_time_tokens, insert into audit_log, from roles, join roles, from roles',
  'from users, from roles, join roles, from roles, update users, update sessions, from sessions, insert into session_endings, delete from one_time_tokens, insert into audit_log, from roles, join roles, from roles',
  'from users, from sessions, delete from one_time_tokens, update users, delete from one_time_tokens, insert into audit_log, insert into one_time_tokens, insert into outbox',
  'from users, from sessions, from sessions, from sessions, update sessions, insert into audit_log',
  'from users, from sessions, insert into audit_log',
  'from users, from sessions, update users, update sessions, update sessions, from sessions, insert into session_endings, delete from one_time_tokens, insert into audit_log, insert into outbox',
  'from users, from users, from users, from roles, join roles, from roles, update users, delete from one_time_tokens, insert into audit_log, from roles, join roles, from roles',
  'from users, from users, from users, from roles, join roles, from roles, update users, update sessions, from sessions, insert into session_endings, delete from one_time_tokens, insert into audit_log, from roles, join roles, from roles',
  'from users, from users, from users, from roles, join roles, from roles, update users, update sessions, from sessions, insert into session_endings, delete from one_time_tokens, insert into audit_log, insert into one_time_tokens, insert into outbox, from roles, join roles, from roles',
  'from users, from users, from users, from roles, join roles, update audit_log, from audit_log, from audit_log, delete from outbox, delete from sessions, from sessions, insert into session_endings, delete from users, delete from one_time_tokens, insert into audit_log, insert into outbox, from roles, join roles',
  'from users, from users, from users, update audit_log, from audit_log, from audit_log, delete from outbox, delete from sessions, from sessions, insert into session_endings, delete from users, delete from one_time_tokens, insert into audit_log, insert into outbox',
  'from users, insert into sessions, insert into audit_log, from sessions',
  'from users, insert into sessions, insert into audit_log, from sessions, insert into outbox, from users, from audit_log, from audit_log',
  'from users, insert into sessions, insert into audit_log, from sessions, insert into outbox, from users, from audit_log, from audit_log, from sessions',
  'from users, insert into sessions, insert into audit_log, update users, update one_time_tokens, from sessions, insert into outbox, from users, from audit_log, from audit_log, from sessions',
  'from users, insert into users, insert into audit_log',
  'from users, insert into users, insert into audit_log, insert into one_time_tokens, insert into outbox',
  'from users, join user_roles',
  'from users, update one_time_tokens, update users, delete from one_time_tokens, update one_time_tokens, insert into audit_log',
  'insert into audit_log, from users, from users, from sessions',
  'insert into leases',
  'insert into outbox',
  'insert into outbox, from users',
  'insert into signing_keys',
  'insert into users, insert into audit_log',
  'insert into users, insert into sessions, insert into audit_log, insert into one_time_tokens, insert into outbox',
  'join users, from one_time_tokens',
  'update leases',
  'update outbox',
  'update outbox, from outbox',
  'update sessions, from sessions, from users',
  'update sessions, from users',
  'update sessions, insert into audit_log',
  'update users, insert into audit_log, from changed',
  'update users, update sessions, update sessions, from sessions, insert into session_endings, insert into audit_log',
].sort();

const day = 86_400;

/** Calls every operation, in every way that leads to a statement of its own. */
async function callEverything(databaseUrl: string): Promise<{ statements: Statement[]; called: Set<string> }> {
  const called = new Set<string>();
  const open = async (options: TestAppOptions) => {
    const app = await testApp({ databaseUrl, ...options });
    const request: TestApp['request'] = (method, path, sent) => {
      called.add(
        `${method.toLowerCase()} ${path
          .replace(/\?.*/, '')
          .replace(/[0-9a-f-]{36}/, '{id}')
          .replace('UserCreated/1', '{type}/{version}')}`,
      );
      return app.request(method, path, sent);
    };
    return { ...app, request };
  };
  const app = await open({});
  const { request } = app;
  const refresh = (token: string) => request('POST', '/auth/refresh', { body: { refresh_token: token } });
  const first = await registerUser(app);
  const second = await registerUser(app, { username: `ann-${crypto.randomUUID()}`, phone_number: '+14155550100' });

  const anyone = ['/', '/health', '/healthz', '/readyz', '/.well-known/jwks.json', '/openapi.json', '/docs', '/redoc'];
  // Who may not read the metrics costs no statement: what they tell of the outbox is all that waits there.
  for (const path of [...anyone, '/events/schemas/UserCreated/1', '/metrics']) await request('GET', path);
  const own = ['/users/me', '/users/profile', '/users/export', '/users/sessions', '/users/activity'];
  for (const path of [...own, '/auth/verify-token']) await request('GET', path, { token: first.access });
  for (const path of ['/users/sessions', '/users/activity']) {
    await request('GET', `${path}?cursor=${crypto.randomUUID()}`, { token: first.access });
  }
  await request('PUT', '/users/profile', { token: first.access, body: { phone_number: '+14155550101' } });
  const conditional = { 'If-Match': `"${first.id}.1"` };
  await request('PUT', '/users/profile', { token: first.access, body: { name: null }, headers: conditional });
  const good = { identifier: first.email, password };
  for (const body of [good, { ...good, password: 'wrong' }, { username: 'nobody', password }]) {
    await request('POST', '/auth/login', { body });
  }
  // From a device that is not known, from one that is, and one failure more than the account takes.
  const unknown = await request('POST', '/auth/login', { body: good, address: '198.51.100.1' });
  const device = { 'X-Device-Token': unknown.headers.get('X-Device-Token') ?? '' };
  await request('POST', '/auth/login', { body: good, headers: device });
  const locking = await open({ clock: app.clock, variables: { LOCKOUT_ACCOUNT: '1/60/60/60' } });
  await locking.request('POST', '/auth/login', { body: { ...good, password: 'wrong' } });
  await locking.request('POST', '/auth/login', { body: { username: 'nobody', password } });
  const { body: next } = await refresh(first.refresh);
  await refresh(first.refresh);
  await refresh(next.refresh_token);
  app.clock.advance(60);
  await refresh(first.refresh);
  await request('POST', '/auth/logout', { body: { refresh_token: second.refresh } });
  await request('POST', '/auth/logout', { token: second.access });
  const { body: again } = await request('POST', '/auth/login', { body: good });
  const { body: other } = await request('POST', '/auth/login', { body: good });
  await request('DELETE', `/users/sessions/${decodeJwt(other.access_token)['sid']}`, { token: other.access_token });
  await request('POST', '/auth/logout-all', { token: again.access_token, body: { except_current: true } });
  await request('POST', '/auth/logout-all', { token: again.access_token });
  const third = await registerUser(app);
  const changed = 'a quieter pony on the stairs';
  const leave = (typed: string) =>
    request('DELETE', '/users/delete-account', { token: third.access, body: { password: typed } });
  await request('POST', '/auth/reauthenticate', { token: third.access, body: { password } });
  await request('POST', '/users/change-password', {
    token: third.access,
    body: { current_password: password, new_password: changed },
  });
  for (const typed of [password, changed]) await leave(typed);
  const fourth = await registerUser(app);
  await request('POST', '/auth/refresh-token', { body: { refresh_token: fourth.refresh } });
  await request('POST', '/api/delete', { body: { login: fourth.email, password } });
  await callMails(app, request);
  const strict = await open({
    clock: app.clock,
    variables: { REQUIRE_EMAIL_VERIFICATION: 'true', MAILBOX_URL: 'http://mailbox.test' },
  });
  await callMails(strict, strict.request);

  const limited = await open({ clock: app.clock, variables: { MAX_SESSIONS: '1' } });
  await limited.request('POST', '/auth/login', { body: good });

  // While a secret is replaced: emails and passwords move to the newest at sign-in.
  const replaced = await open({
    clock: app.clock,
    variables: { AUTH_SECRET: 'new-secret-'.repeat(4), AUTH_SECRET_PREVIOUS: testSecret },
  });
  await registerUser(replaced);
  await replaced.request('POST', '/auth/login', { body: good, headers: device });
  await replaced.request('POST', '/auth/login', { body: { ...good, identifier: second.email } });

  // Mails that nobody came to deliver: two are taken, one is not.
  const rows = await enqueueMails(app, recipients(3));
  const takes: Mailer['send'] = async (_, id) => {
    if (id === rows[0]?.id) throw new MailUndelivered('down');
  };
  const mailer: Mailer = { kind: 'mailbox', send: takes, close: async () => undefined };
  const relaying = await open({ clock: app.clock, mailer });
  app.clock.advance(60);
  await relaying.app.runScheduled();

  await callAdministration(app, request);
  const rules = importedUser({ pepperIds: [], roles: [], now: app.clock.now() });
  const imported = [{ email: `${crypto.randomUUID()}@example.com` }, { username: crypto.randomUUID() }];
  await importUsers(app.deps, z.array(rules).parse(imported), false);

  // Long after: keys are made, and deleted.
  for (const days of [0, 29, 3, 30]) {
    app.clock.advance(days * day);
    await app.app.runScheduled({ alone: true });
  }
  const statements = [app, locking, strict, replaced, limited, relaying].flatMap((each) => each.statements);
  return { statements, called };
}

/** What admins look at, by every filter, and what they do. */
async function callAdministration(app: TestApp, request: TestApp['request']): Promise<void> {
  // What makes an admin of somebody here is no statement of the service's.
  const { access: token } = await registerAdmin(await testApp({ databaseUrl: app.databaseUrl, clock: app.clock }));
  const user = await registerUser(app);
  const path = `/admin/users/${user.id}`;
  const cursor = `cursor=${crypto.randomUUID()}`;
  const [from, to] = ['2020-01-01T00:00:00Z', '2030-01-01T00:00:00Z'];
  const lists = [
    '',
    'status=active',
    'status=disabled',
    'role=user',
    'role=editor',
    'role=ghost',
    `created_from=${from}`,
  ];
  const combined = ['status=disabled&role=editor', 'status=active&role=user', `created_to=${to}&role=editor`];
  for (const query of [...lists, ...combined]) {
    for (const page of ['', `&cursor=1700000000000_${crypto.randomUUID()}`])
      await request('GET', `/admin/users?${query}${page}`, { token });
  }
  for (const filter of ['', 'state=dead', `user=${user.id}`, 'sink=webhook:a&type=UserCreated'])
    for (const page of ['', `&${cursor}`]) await request('GET', `/admin/events?${filter}${page}`, { token });
  await request('POST', '/admin/events/replay', { token, body: { sink: 'webhook:a', type: 'UserCreated' } });
  await request('POST', `/admin/events/${crypto.randomUUID()}/replay`, { token });
  await request('POST', '/admin/users/search', { token, body: { email: 'ann@example.com' } });
  for (const page of ['', '&cursor=user5']) await request('GET', `/admin/users?username=user${page}`, { token });
  const events = ['', `user=${user.id}`, `actor=${user.id}`, 'type=login', 'result=failure', 'result=success'];
  for (const query of [...events, `user=${user.id}&type=logout&result=failure`, `from=${from}&to=${to}`]) {
    for (const page of ['', `&${cursor}`]) await request('GET', `/admin/audit?${query}${page}`, { token });
  }
  for (const part of ['', '/sessions', '/activity']) await request('GET', `${path}${part}`, { token });
  const made = { email: `made-${crypto.randomUUID()}@example.com` };
  for (const body of [made, { username: `made-${crypto.randomUUID()}`, password }]) {
    await request('POST', '/admin/users', { token, body });
  }
  await request('PUT', `${path}/roles`, { token, body: { roles: ['admin'] } });
  await request('PUT', `${path}/roles`, { token, body: { roles: ['user'] } });
  for (const action of ['disable', 'enable', 'force-password-reset', 'revoke-sessions']) {
    await request('POST', `${path}/${action}`, { token });
  }
  await request('DELETE', path, { token });
}

/** Everything that leads to a mail or comes from one. */
async function callMails(app: TestApp, request: TestApp['request']): Promise<void> {
  const email = `mail-${crypto.randomUUID()}@example.com`;
  const next = `next-${crypto.randomUUID()}@example.com`;
  const username = `user-${crypto.randomUUID()}`;
  const post = (path: string, body: object, token?: string) => request('POST', path, { body, token });
  const usePassword = async () => (await post('/auth/login', { email, password })).body.access_token;
  // The second is of an address that is not verified yet, or of an account that is.
  for (const name of [username, undefined]) await post('/auth/register', { email, password, username: name });
  await post('/auth/resend-verification', { email });
  await post('/auth/resend-verification', { email: next });
  await post('/auth/forgot-password', { email });
  await post('/auth/reset-password', { token: secretsTo(app, email).token, password });
  await post('/auth/register', { email, password });
  await post('/auth/forgot-password', { username });
  await post('/auth/forgot-password', { email });
  await post('/auth/reset-password', { email, code: secretsTo(app, email).code, password });
  const other = `other-${crypto.randomUUID()}@example.com`;
  await post('/auth/register', { email: other, password });
  const { token } = secretsTo(app, other);
  for (let times = 0; times < 2; times += 1) await post('/auth/verify-email', { token });
  await post('/users/change-email', { email: next }, await usePassword());
  await post('/users/change-email', { email: other }, await usePassword());
  await post('/auth/confirm-email-change', { token: secretsTo(app, next).token });
  await post('/auth/undo-email-change', { token: secretsTo(app, email).token });
}

describe(`with ${people} users`, () => {
  let databaseUrl: string;
  beforeAll(async () => {
    databaseUrl = await createDatabase();
    await withClient(databaseUrl, async (client) => {
      await client.query(fill);
      await client.query('vacuum analyze');
    });
  });

  it('no statement of any operation, or of the scheduled work, reads a table from end to end', async () => {
    const { statements, called } = await callEverything(databaseUrl);
    const { body: openapi } = await (await testApp({ databaseUrl })).request('GET', '/openapi.json');
    const operations = Object.entries<Record<string, { deprecated?: boolean }>>(openapi.paths).flatMap(
      ([path, methods]) =>
        // Older paths lead to the same operations, but for two.
        Object.entries(methods)
          .filter(([, { deprecated }]) => deprecated !== true || ['/api/delete', '/auth/refresh-token'].includes(path))
          .map(([method]) => `${method} ${path}`),
    );
    expect([...called].sort()).toEqual(operations.sort());
    expect([...new Set(statements.map(outline))].sort()).toEqual(expected);

    await withClient(databaseUrl, async (client) => {
      const offenders = new Map<string, string[]>();
      for (const statement of statements) {
        const reads = await fullReads(client, statement);
        if (reads.length > 0) offenders.set(statement.sql, reads);
      }
      expect(offenders).toEqual(new Map());
    });
  });

  it('no statement of the relay of events reads all that waits', async () => {
    const sink = collectingSink('a');
    const app = await testApp({ databaseUrl, variables: webhooks('a'), sinks: [sink] });
    sink.isDown = true;
    await registerUser(app);
    sink.isDown = false;
    // Once what failed, and once what was given up by its age.
    for (const seconds of [60, 4 * day]) {
      app.clock.advance(seconds);
      await app.app.runScheduled();
    }
    await registerUser(app);
    const statements = app.statements.filter(({ sql }) => /"outbox"/.test(sql));
    const parts = ['with free as', 'with gone as', 'with down as', 'set dead = true', 'set "attempts"'];
    for (const part of parts)
      expect(
        statements.some(({ sql }) => sql.includes(part)),
        part,
      ).toBe(true);
    await withClient(databaseUrl, async (client) => {
      for (const statement of statements) expect(await fullReads(client, statement), statement.sql).toEqual([]);
    });
  });

  it.each([
    ['a condition without an index', 'select 1 from users where phone_sealed = $1', ['a'], 'Seq Scan on users'],
    ['an order without a condition', 'select id from users order by username_key', [], / on users$/],
    [
      'a part of a change',
      'with a as (delete from audit_log where user_agent = $1) select 1',
      ['a'],
      'Seq Scan on audit_log',
    ],
    ['an index that does not fit', 'update sessions set scope = $1 where client_id = $2', ['', ''], / on sessions$/],
  ])('the check finds %s', async (_, sql, params, found) => {
    const reads = await withClient(databaseUrl, (client) => fullReads(client, { sql, params }));
    expect(reads).toEqual([expect.stringMatching(found)]);
  });

  it('every foreign key has an index, so that deleting a user does not read whole tables', async () => {
    const { rows } = await withClient(databaseUrl, (client) =>
      client.query(`select conrelid::regclass::text as table, conname as key, exists (
          select 1 from pg_index
          where indrelid = conrelid and indpred is null and indkey[0] = conkey[1] and cardinality(conkey) = 1
        ) as indexed
        from pg_constraint where contype = 'f' order by 1`),
    );
    expect(rows.map(({ table, indexed }) => [table, indexed])).toEqual([
      ['one_time_tokens', true],
      ['user_roles', true],
    ]);
  });
});
