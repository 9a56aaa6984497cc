import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { giveRoles, makeRole, registerAdmin, registerWith } from '../support/admin.ts';
import { createClock, hasSharedKeyValue, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { ask } from '../tokens/sessions-under-test.ts';
import { unreliable } from '../tokens/unreliable-store.ts';

const setRoles = (app: TestApp, token: string, id: string, roles: readonly unknown[]) =>
  app.request('PUT', `/admin/users/${id}/roles`, { token, body: { roles } });
const refresh = async (app: TestApp, token: string) =>
  (await app.request('POST', '/auth/refresh', { body: { refresh_token: token } })).body;
const rolesIn = (token: string) => decodeJwt(token)['roles'];

describe.each(['memory', 'shared'] as const)('a change of roles, with the key-value store %s', (kv) => {
  const possible = it.skipIf(kv === 'shared' && !hasSharedKeyValue());

  possible('refuses older access tokens at once, and the next refresh of the same session tells it', async () => {
    const app = await testApp({ kv });
    const admin = await registerAdmin(app);
    const user = await registerUser(app);
    const bystander = await registerUser(app);
    expect(rolesIn(user.access)).toEqual(['user']);
    const { status, body } = await setRoles(app, admin.access, user.id, ['user', 'admin', 'user']);
    expect([status, body]).toEqual([200, { roles: ['admin', 'user'] }]);
    expect(await ask(app, user.access)).toBe(401);
    for (const { access } of [admin, bystander]) expect(await ask(app, access)).toBe(200);
    const renewed = await refresh(app, user.refresh);
    expect(rolesIn(renewed.access_token)).toEqual(['admin', 'user']);
    expect(decodeJwt(renewed.access_token)['sid']).toBe(decodeJwt(user.access)['sid']);
    expect(await ask(app, renewed.access_token)).toBe(200);
    // Long after, too: by the mark alone, and without the database.
    app.clock.advance(200);
    const later = await refresh(app, renewed.refresh_token);
    await ask(app, later.access_token);
    await setRoles(app, (await refresh(app, admin.refresh)).access_token, user.id, ['user']);
    for (let seconds = 0; seconds < 800; seconds += 100) {
      expect(await ask(app, later.access_token)).toBe(401);
      app.clock.advance(100);
    }
  });
});

describe('a change of roles', () => {
  it('is known to another isolate by the shared mark, also while its own clock is behind', async () => {
    const clock = createClock();
    const kv = createMemoryKeyValue(clock);
    const app = await testApp({ clock, kv });
    const behind = createClock(clock.now() - 30_000);
    const lagging = await testApp({ clock: behind, kv, databaseUrl: app.databaseUrl });
    const [admin, user] = [await registerAdmin(app), await registerUser(lagging)];
    await setRoles(app, admin.access, user.id, ['admin']);
    for (const each of [app, lagging]) expect(await ask(each, user.access)).toBe(401);
    const renewed = await refresh(lagging, user.refresh);
    for (const each of [app, lagging]) expect(await ask(each, renewed.access_token)).toBe(200);
  });

  it('counts by the row while the store is down, and after it has come back without the mark', async () => {
    const clock = createClock();
    const store = unreliable(clock);
    const app = await testApp({ clock, kv: store.kv });
    const [admin, user] = [await registerAdmin(app), await registerUser(app)];
    await ask(app, user.access);
    clock.advance(200);
    const { access_token: token, refresh_token } = await refresh(app, user.refresh);
    const { access_token: adminToken } = await refresh(app, admin.refresh);
    expect(await ask(app, token)).toBe(200);
    store.fail('everything');
    expect((await setRoles(app, adminToken, user.id, ['admin'])).status).toBe(200);
    expect(await ask(app, token)).toBe(401);
    const renewed = await refresh(app, refresh_token);
    expect(await ask(app, renewed.access_token)).toBe(200);
    store.fail('nothing');
    // The isolate distrusts the store for a while; then the scheduled work has repeated the mark.
    for (let minutes = 0; minutes < 10; minutes += 1) {
      expect(await ask(app, token)).toBe(401);
      expect(await ask(app, renewed.access_token)).toBe(200);
      clock.advance(60);
      await app.app.runScheduled();
    }
    expect(store.written).toContain(`revoked:roles:${user.id}`);
  });

  it('at the same time as refreshes: a token is good exactly where it names the roles that are', async () => {
    const clock = createClock();
    const kv = createMemoryKeyValue(clock);
    const one = await testApp({ clock, kv });
    const two = await testApp({ clock, kv, databaseUrl: one.databaseUrl });
    const admin = await registerAdmin(one);
    for (let round = 0; round < 5; round += 1) {
      const user = await registerUser(one);
      const before = await refresh(two, user.refresh);
      const [changed, ...renewed] = await Promise.all([
        setRoles(one, admin.access, user.id, ['admin', 'user']),
        ...[one, two, one, two].map((app) => refresh(app, before.refresh_token)),
      ]);
      expect(changed.status).toBe(200);
      for (const { access_token: token } of [before, ...renewed]) {
        const expected = String(rolesIn(token)) === 'admin,user' ? 200 : 401;
        for (const app of [one, two]) expect(await ask(app, token)).toBe(expected);
      }
    }
  });

  it('is refused for roles that there are not, too many, or odd ones', async () => {
    const app = await testApp();
    const admin = await registerAdmin(app);
    const many = Array.from({ length: 17 }, (_, n) => `role-${n}`);
    for (const roles of [['user', 'ghost'], ['A'], ['a,b'], [''], ['x'.repeat(33)], [1], many]) {
      const { status, body } = await setRoles(app, admin.access, admin.id, roles);
      expect([status, body.code]).toEqual([422, 'validation_failed']);
    }
    expect((await setRoles(app, admin.access, crypto.randomUUID(), ['user'])).status).toBe(404);
    expect(await ask(app, admin.access)).toBe(200);
  });

  it('leaves room in a token for 16 of the longest names', async () => {
    const app = await testApp();
    const admin = await registerAdmin(app);
    const user = await registerUser(app);
    const names = Array.from({ length: 16 }, (_, n) => String(n).padStart(32, 'x'));
    for (const name of names) await makeRole(app, name, []);
    expect((await setRoles(app, admin.access, user.id, names)).status).toBe(200);
    const { access_token: token } = await refresh(app, user.refresh);
    const { status, headers } = await app.request('GET', '/auth/verify-token', { token });
    expect([status, headers.get('X-Auth-Roles')]).toEqual([200, names.toSorted().join(',')]);
  });
});

describe('a permission', () => {
  it('is what a role holds, and nothing else', async () => {
    const app = await testApp();
    await makeRole(app, 'reader', ['users:read', 'nonsense']);
    const [user, reader, stranger] = [
      await registerUser(app),
      await registerWith(app, ['reader', 'user']),
      await registerWith(app, ['ghost']),
    ];
    for (const { access: token } of [user, stranger]) {
      const { status, body } = await app.request('GET', '/admin/users', { token });
      expect([status, body.code]).toEqual([403, 'forbidden']);
    }
    expect((await app.request('GET', '/admin/users')).status).toBe(401);
    const token = reader.access;
    expect((await app.request('GET', '/admin/users', { token })).status).toBe(200);
    const forbidden = [
      ['GET', '/admin/audit'],
      ['POST', '/admin/users'],
      ['PUT', `/admin/users/${user.id}/roles`],
      ['POST', `/admin/users/${user.id}/disable`],
      ['POST', `/admin/users/${user.id}/revoke-sessions`],
      ['DELETE', `/admin/users/${user.id}`],
    ] as const;
    for (const [method, path] of forbidden) expect((await app.request(method, path, { token })).status).toBe(403);
  });

  it('that a role gains or loses counts within a minute, for one statement in that time', async () => {
    const app = await testApp();
    await makeRole(app, 'reader', ['users:read']);
    const { access: token } = await registerWith(app, ['reader']);
    const reads = () =>
      app.statements.filter(({ sql }) => sql.includes('"roles" from') || sql.includes('from "roles"'));
    const list = async () => (await app.request('GET', '/admin/users', { token })).status;
    for (let times = 0; times < 5; times += 1) expect(await list()).toBe(200);
    expect(reads().filter(({ sql }) => /from "roles"/.test(sql))).toHaveLength(1);
    await app.deps.db.execute(`update roles set permissions = '{}' where name = 'reader'`);
    app.clock.advance(60);
    expect(await list()).toBe(403);
  });

  it('is nobody’s while the roles cannot be read', async () => {
    const app = await testApp();
    const { access: token } = await registerAdmin(app);
    await app.deps.db.execute('alter table roles rename to gone');
    const { status } = await app.request('GET', '/admin/users', { token });
    expect(status).toBeGreaterThanOrEqual(500);
    await app.deps.db.execute('alter table gone rename to roles');
    expect((await app.request('GET', '/admin/users', { token })).status).toBe(200);
  });

  it('needs a fresh proof of the password where something is changed', async () => {
    const app = await testApp();
    const [admin, user] = [await registerAdmin(app), await registerUser(app)];
    app.clock.advance(601);
    const { status, body } = await setRoles(app, admin.access, user.id, ['user']);
    expect([status, body.code]).toEqual([401, 'reauthentication_required']);
    expect((await app.request('GET', '/admin/users', { token: admin.access })).status).toBe(200);
  });

  it('follows a token only while its roles are the user’s', async () => {
    const app = await testApp();
    const admin = await registerAdmin(app);
    // Behind the service's back: there is no mark, but the marks are too young to be trusted.
    await giveRoles(app, admin.id, ['user']);
    expect((await app.request('GET', '/admin/users', { token: admin.access })).status).toBe(401);
  });
});

describe('who may change users but give no roles', () => {
  const permissions = ['users:read', 'users:write', 'users:delete', 'sessions:revoke'];
  const actions = [
    ['POST', '/disable'],
    ['POST', '/enable'],
    ['POST', '/force-password-reset'],
    ['POST', '/revoke-sessions'],
    ['DELETE', ''],
  ] as const;

  it('does nothing to an admin, and is told what it takes', async () => {
    const app = await testApp();
    await makeRole(app, 'helpdesk', permissions);
    const [helper, admin] = [await registerWith(app, ['helpdesk']), await registerAdmin(app)];
    for (const [method, action] of actions) {
      const { status, body } = await app.request(method, `/admin/users/${admin.id}${action}`, { token: helper.access });
      expect([status, body.code, body.detail]).toEqual([403, 'forbidden', expect.stringContaining('roles:write')]);
    }
    expect(await ask(app, admin.access)).toBe(200);
    const disabled = await registerAdmin(app);
    await app.request('POST', `/admin/users/${disabled.id}/disable`, { token: admin.access });
    const enabled = await app.request('POST', `/admin/users/${disabled.id}/enable`, { token: helper.access });
    expect(enabled.status).toBe(403);
  });

  it('changes others, and leaves by their own hand', async () => {
    const app = await testApp();
    await makeRole(app, 'helpdesk', permissions);
    const [helper, user] = [await registerWith(app, ['helpdesk']), await registerUser(app)];
    for (const [method, action] of actions) {
      const done = await app.request(method, `/admin/users/${user.id}${action}`, { token: helper.access });
      expect(done.status).toBe(200);
    }
    expect((await app.request('DELETE', `/admin/users/${helper.id}`, { token: helper.access })).status).toBe(200);
  });

  it('finds an admin in who becomes one at that very moment', async () => {
    const app = await testApp();
    await makeRole(app, 'helpdesk', permissions);
    const [helper, admin] = [await registerWith(app, ['helpdesk']), await registerAdmin(app)];
    for (let round = 0; round < 8; round += 1) {
      const user = await registerUser(app);
      const [promoted, removed] = await Promise.all([
        setRoles(app, admin.access, user.id, ['admin']),
        app.request('DELETE', `/admin/users/${user.id}`, { token: helper.access }),
      ]);
      // One of the two came first: either there is nobody to promote, or an admin whom the other may not delete.
      expect([
        [200, 403],
        [404, 200],
      ]).toContainEqual([promoted.status, removed.status]);
    }
  });
});
