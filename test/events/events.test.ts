import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { importUsers } from '../../src/accounts/import.ts';
import { importedUser } from '../../src/accounts/import-schema.ts';
import { catalogue } from '../../src/events/catalogue.ts';
import { eventRows } from '../../src/events/event-rows.ts';
import { isEventType } from '../../src/events/types.ts';
import { newRow } from '../../src/outbox/outbox.ts';
import { insertOutbox } from '../../src/outbox/store.ts';
import { registerAdmin } from '../support/admin.ts';
import { everyRow } from '../support/dump.ts';
import { collectingSink, drain, type TestSink, waiting, webhooks } from '../support/events.ts';
import { secretsTo } from '../support/mail.ts';
import { letPass } from '../support/sessions.ts';
import { issuer, password, registerUser, type TestApp, type TestAppOptions, testApp } from '../support/test-app.ts';

async function start(options: TestAppOptions = {}): Promise<TestApp & { sink: TestSink }> {
  const sink = collectingSink('all');
  const app = await testApp({ ...options, sinks: [sink], variables: { ...webhooks('all'), ...options.variables } });
  return { ...app, sink };
}
const sid = (token: string) => String(decodeJwt(token)['sid']);
const types = (sink: TestSink) => drain(sink).map(([type]) => type);

describe('an event', () => {
  it('is a CloudEvent, whose data are as the catalogue says', async () => {
    const app = await start();
    const user = await registerUser(app, { username: 'Ann' });
    const [created, started] = app.sink.taken;
    expect(String(started?.sequence) > String(created?.sequence)).toBe(true);
    expect(created).toEqual({
      specversion: '1.0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      source: issuer,
      type: 'UserCreated',
      subject: user.id,
      time: new Date(app.clock.now()).toISOString(),
      sequence: expect.stringMatching(/^\d{19}$/),
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/),
      datacontenttype: 'application/json',
      dataschema: `${issuer}/events/schemas/UserCreated/1`,
      data: {
        user_id: user.id,
        email: user.email,
        username: 'Ann',
        email_verified: false,
        roles: ['user'],
        origin: 'registration',
      },
    });
    expect([started?.type, started?.data]).toEqual([
      'SessionStarted',
      { user_id: user.id, session_id: sid(user.access), client_id: 'first-party' },
    ]);
    expect(await waiting(app)).toEqual([]);
  });

  it('belongs to the trace of its request, also when it is delivered later', async () => {
    const app = await start();
    app.sink.isDown = true;
    const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00', tracestate: 'a=b' };
    await app.request('POST', '/auth/register', { headers: trace, body: { email: 'ann@example.com', password } });
    app.sink.isDown = false;
    app.clock.advance(60);
    await app.app.runScheduled();
    const [created] = app.sink.taken;
    expect(created?.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-/);
    expect(created?.tracestate).toBe('a=b');
    await insertOutbox(app.deps.db, await eventRows(app.deps, 'RoleChanged', app.deps.newId(), { roles: [] }));
    app.clock.advance(31);
    await app.app.runScheduled();
    const last = app.sink.taken.at(-1);
    expect(last?.type).toBe('RoleChanged');
    expect(last).not.toHaveProperty('traceparent');
  });

  it('names nobody where personal data are to stay here', async () => {
    const app = await start({ variables: { EVENTS_PERSONAL_DATA: 'false' } });
    await registerUser(app, { username: 'canary' });
    expect(app.sink.taken[0]?.data).toMatchObject({ email: null, username: null });
    expect(JSON.stringify(app.sink.taken)).not.toMatch(/example\.com|canary/);
  });

  it('waits sealed, and goes to nobody who did not ask for its type', async () => {
    const all = collectingSink('all');
    all.isDown = true;
    const some = collectingSink('some');
    const variables = webhooks('all', { name: 'some', types: ['SessionStarted'] });
    const app = await testApp({ sinks: [all, some], variables });
    const { email } = await registerUser(app);
    expect(types(some)).toEqual(['SessionStarted']);
    expect(await waiting(app)).toMatchObject([
      { type: 'UserCreated', sink: 'webhook:all', attempts: 1, dead: false, last_error: 'unreachable' },
      { type: 'SessionStarted', sink: 'webhook:all', attempts: 0 },
    ]);
    expect((await everyRow(app)).join('\n')).not.toContain(email);
    expect(app.logLines.join('\n')).not.toContain(email);
  });

  it('is not written where nobody takes events, or where nothing changed', async () => {
    const none = await testApp();
    await registerUser(none);
    expect(await waiting(none)).toEqual([]);
    const app = await start();
    const { email } = await registerUser(app);
    drain(app.sink);
    expect((await app.request('POST', '/auth/register', { body: { email, password } })).status).toBe(409);
    const wrong = { body: { identifier: email, password: 'wrong' } };
    expect((await app.request('POST', '/auth/login', wrong)).status).toBe(401);
    expect([drain(app.sink), await waiting(app)]).toEqual([[], []]);
  });

  it('costs no statement before the answer', async () => {
    const app = await start();
    // The first one reads the signing keys besides.
    await registerUser(app);
    const body = { email: 'ann@example.com', password };
    const before = app.statements.length;
    const { soFar } = await app.request('POST', '/auth/register', { body });
    expect(soFar[0] - before).toBe(1);
  });
});

describe('what is told of', () => {
  it('sessions: their start, their end one by one, and the end of all', async () => {
    const app = await start();
    const user = await registerUser(app);
    const login = async () =>
      (await app.request('POST', '/auth/login', { body: { identifier: user.email, password } })).body;
    const [first, second, third] = [await login(), await login(), await login()];
    drain(app.sink);
    const refresh = (token: string) => app.request('POST', '/auth/refresh', { body: { refresh_token: token } });
    const revoked = (reason: string, ids: string[] | null, except: string | null = null) => [
      'SessionRevoked',
      { user_id: user.id, session_ids: ids, except_session_id: except, reason },
    ];

    await app.request('POST', '/auth/logout', { body: { refresh_token: first.refresh_token } });
    await app.request('POST', '/auth/logout', { body: { refresh_token: first.refresh_token } });
    expect(drain(app.sink)).toEqual([revoked('logout', [sid(first.access_token)])]);

    const id = sid(second.access_token);
    for (let times = 0; times < 2; times += 1)
      await app.request('DELETE', `/users/sessions/${id}`, { token: third.access_token });
    expect(drain(app.sink)).toEqual([revoked('revoked', [id])]);

    await refresh(third.refresh_token);
    expect(drain(app.sink)).toEqual([]);
    await letPass(app, 60);
    await refresh(third.refresh_token);
    expect(drain(app.sink)).toEqual([
      ['RefreshTokenReused', { user_id: user.id, session_id: sid(third.access_token) }],
      revoked('refresh_token_reuse', [sid(third.access_token)]),
    ]);

    const fourth = await login();
    drain(app.sink);
    await app.request('POST', '/auth/logout-all', { token: fourth.access_token, body: { except_current: true } });
    await app.request('POST', '/auth/logout-all', { token: fourth.access_token });
    expect(drain(app.sink)).toEqual([
      revoked('logout_all', null, sid(fourth.access_token)),
      revoked('logout_all', null),
    ]);
  });

  it('sessions that a newer one displaced, by their ids', async () => {
    const app = await start({ variables: { MAX_SESSIONS: '1' } });
    const user = await registerUser(app);
    drain(app.sink);
    await app.request('POST', '/auth/login', { body: { identifier: user.email, password } });
    const events = drain(app.sink);
    expect(events.map(([type]) => type)).toEqual(['SessionStarted', 'SessionRevoked']);
    expect(events[1]?.[1]).toMatchObject({ session_ids: [sid(user.access)], reason: 'session_limit' });
  });

  it('the profile, the password and the end of an account', async () => {
    const app = await start();
    const user = await registerUser(app);
    drain(app.sink);
    await app.request('PUT', '/users/profile', { token: user.access, body: { name: 'Ann' } });
    const [[type, data] = []] = drain(app.sink);
    expect([type, data]).toEqual([
      'UserUpdated',
      { user_id: user.id, fields: ['name', 'surname', 'phone_number', 'locale'] },
    ]);
    const changed = 'a quieter pony on the stairs';
    await app.request('POST', '/users/change-password', {
      token: user.access,
      body: { current_password: password, new_password: changed },
    });
    expect(drain(app.sink)).toEqual([
      ['PasswordChanged', { user_id: user.id, reason: 'changed' }],
      [
        'SessionRevoked',
        { user_id: user.id, session_ids: null, except_session_id: sid(user.access), reason: 'password_changed' },
      ],
    ]);
    await app.request('DELETE', '/users/delete-account', { token: user.access, body: { password: changed } });
    expect(drain(app.sink)).toEqual([['UserDeleted', { user_id: user.id }]]);
  });

  it('addresses: their verification once, their change, and the change taken back', async () => {
    const app = await start();
    const user = await registerUser(app);
    const { token } = secretsTo(app, user.email);
    drain(app.sink);
    await app.request('POST', '/auth/verify-email', { body: { token } });
    expect(drain(app.sink)).toEqual([['UserVerified', { user_id: user.id }]]);
    await app.request('POST', '/auth/forgot-password', { body: { email: user.email } });
    await app.request('POST', '/auth/reset-password', { body: { token: secretsTo(app, user.email).token, password } });
    expect(types(app.sink)).toEqual(['PasswordChanged', 'SessionRevoked']);

    const next = 'next@example.com';
    const { body } = await app.request('POST', '/auth/login', { body: { identifier: user.email, password } });
    drain(app.sink);
    await app.request('POST', '/users/change-email', { token: body.access_token, body: { email: next } });
    await app.request('POST', '/auth/confirm-email-change', { body: { token: secretsTo(app, next).token } });
    const changed = (id: string, email: string | null) => [
      'EmailChanged',
      { user_id: id, email, email_verified: email !== null },
    ];
    expect(drain(app.sink)).toEqual([changed(user.id, next)]);
    const { token: undo } = secretsTo(app, user.email);
    // Somebody else takes the old address meanwhile, without verifying it.
    const other = await app.request('POST', '/auth/register', { body: { email: user.email, password } });
    drain(app.sink);
    await app.request('POST', '/auth/undo-email-change', { body: { token: undo } });
    const events = drain(app.sink);
    const about = (id: string) => events.filter(([, { user_id }]) => user_id === id);
    const { id } = other.body.user;
    expect(about(id)).toEqual([
      changed(id, null),
      ['SessionRevoked', { user_id: id, session_ids: null, except_session_id: null, reason: 'email_changed' }],
    ]);
    expect(about(user.id)).toEqual([
      changed(user.id, user.email),
      ['PasswordChanged', { user_id: user.id, reason: 'removed' }],
      ['SessionRevoked', { user_id: user.id, session_ids: null, except_session_id: null, reason: 'email_changed' }],
    ]);
  });

  it('accounts that come into being when their address is verified', async () => {
    const variables = { REQUIRE_EMAIL_VERIFICATION: 'true', MAILBOX_URL: 'http://mailbox.test' };
    const app = await start({ variables });
    const email = 'ann@example.com';
    await app.request('POST', '/auth/register', { body: { email, password } });
    expect(drain(app.sink)).toEqual([]);
    await app.request('POST', '/auth/verify-email', { body: { token: secretsTo(app, email).token } });
    const events = drain(app.sink);
    expect(events.map(([type]) => type)).toEqual(['UserCreated', 'UserVerified']);
    expect(events[0]?.[1]).toMatchObject({ email, email_verified: true, origin: 'registration' });
  });

  it('accounts that are locked', async () => {
    const app = await start({ variables: { LOCKOUT_ACCOUNT: '1/60/60/60' } });
    const user = await registerUser(app);
    drain(app.sink);
    await app.request('POST', '/auth/login', { body: { identifier: user.email, password: 'wrong' } });
    expect(drain(app.sink)).toEqual([['AccountLocked', { user_id: user.id }]]);
  });

  it('what admins do, and imports', async () => {
    const app = await start();
    const { access: token } = await registerAdmin(app);
    drain(app.sink);
    const made = await app.request('POST', '/admin/users', { token, body: { username: 'made', password } });
    const { id } = made.body;
    expect(drain(app.sink)).toEqual([
      ['UserCreated', expect.objectContaining({ user_id: id, username: 'made', email: null, origin: 'admin' })],
    ]);
    await app.request('PUT', `/admin/users/${id}/roles`, { token, body: { roles: ['admin', 'user'] } });
    for (const action of ['disable', 'enable', 'revoke-sessions'])
      await app.request('POST', `/admin/users/${id}/${action}`, { token });
    await app.request('DELETE', `/admin/users/${id}`, { token });
    expect(drain(app.sink)).toEqual([
      ['RoleChanged', { user_id: id, roles: ['admin', 'user'] }],
      ['UserUpdated', { user_id: id, fields: ['status'], status: 'disabled' }],
      ['SessionRevoked', expect.objectContaining({ reason: 'user_disabled' })],
      ['UserUpdated', { user_id: id, fields: ['status'], status: 'active' }],
      ['SessionRevoked', expect.objectContaining({ reason: 'revoked' })],
      ['UserDeleted', { user_id: id }],
    ]);
    const rules = importedUser({ pepperIds: [], roles: [], now: app.clock.now() });
    const users = [{ email: 'one@example.com' }, { username: 'two' }, { email: 'three@example.com' }];
    const parsed = users.map((user) => rules.parse(user));
    await importUsers(app.deps, parsed, false);
    await importUsers(app.deps, parsed, false);
    app.clock.advance(60);
    await app.app.runScheduled();
    expect(drain(app.sink).map(([type, data]) => [type, data['email'], data['username'], data['origin']])).toEqual(
      expect.arrayContaining([
        ['UserCreated', 'one@example.com', null, 'import'],
        ['UserCreated', null, 'two', 'import'],
        ['UserCreated', 'three@example.com', null, 'import'],
      ]),
    );
    expect(await waiting(app)).toEqual([]);
  });
});

describe('the schema of an event', () => {
  it('is that of the version it was written as, whichever release delivers it', async () => {
    const app = await start();
    const versions = { first: undefined, later: 7 };
    for (const [role, version] of Object.entries(versions)) {
      const named = { id: app.deps.newId(), kind: 'event', type: 'RoleChanged', sink: 'webhook:all' } as const;
      const written = { id: app.deps.newId(), time: new Date().toISOString(), version, data: { roles: [role] } };
      await insertOutbox(app.deps.db, [await newRow(app.deps, { ...named, subject: app.deps.newId() }, written)]);
    }
    app.clock.advance(31);
    await app.app.runScheduled();
    const schemas = app.sink.taken.map(({ data, dataschema }) => [data['roles'], dataschema]);
    expect(schemas.toSorted()).toEqual([
      [['first'], `${issuer}/events/schemas/RoleChanged/1`],
      [['later'], `${issuer}/events/schemas/RoleChanged/7`],
    ]);
  });

  it('is served where `dataschema` says', async () => {
    const app = await start();
    await registerUser(app);
    for (const { dataschema, type, data } of app.sink.taken) {
      const { status, body } = await app.request('GET', new URL(dataschema).pathname);
      expect(status).toBe(200);
      expect(body).toMatchObject({ $id: dataschema, type: 'object', required: expect.arrayContaining(['user_id']) });
      // A later release may add fields.
      expect(JSON.stringify(body)).not.toContain('additionalProperties');
      if (isEventType(type)) expect(catalogue[type].data.parse(data)).toEqual(data);
    }
    for (const path of [
      '/events/schemas/UserCreated/2',
      '/events/schemas/UserCreated/01',
      '/events/schemas/constructor/1',
    ])
      expect((await app.request('GET', path)).status).toBe(404);
  });
});
