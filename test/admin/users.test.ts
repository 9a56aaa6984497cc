import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { importUsers } from '../../src/accounts/import.ts';
import { importedUser } from '../../src/accounts/import-schema.ts';
import { makeRole, registerAdmin, registerWith } from '../support/admin.ts';
import { mailTo, secretsTo } from '../support/mail.ts';
import { createClock, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

interface Item {
  readonly id: string;
}

const variables = { LIMIT_REGISTER_ADDRESS: '100000/60' };
const list = ({ request }: TestApp, token: string, query = '') => request('GET', `/admin/users${query}`, { token });
const idsOf = async (app: TestApp, token: string, query: string): Promise<string[]> =>
  (await list(app, token, query)).body.items.map(({ id }: Item) => id);

/** Follows the cursor to the end. */
async function readAll(app: TestApp, token: string, query: string): Promise<string[]> {
  const found: string[] = [];
  let cursor = '';
  for (let pages = 0; pages < 20; pages += 1) {
    const { body } = await list(app, token, `${query}${cursor}`);
    found.push(...body.items.map(({ id }: Item) => id));
    if (body.next_cursor === null) return found;
    cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
  }
  throw new Error('no end');
}

describe('the list of users', () => {
  it('has every one of them once, newest first, whatever the size of its pages', async () => {
    const app = await testApp({ variables });
    const admin = await registerAdmin(app);
    const people = [admin.id];
    for (let n = 0; n < 6; n += 1) {
      app.clock.advance(1);
      people.unshift((await registerUser(app)).id);
    }
    for (const limit of [1, 2, 3, 100]) expect(await readAll(app, admin.access, `?limit=${limit}`)).toEqual(people);
  });

  it('has users of any name, where an older API gave it to them, and goes on after each', async () => {
    const app = await testApp({ variables });
    const admin = await registerAdmin(app);
    const names = ['jan', 'Jan & Co.', 'jan@', 'Jan \u{1f469}\u200d\u{1f52c}', 'jan'.repeat(85)];
    const ids: Record<string, string> = {};
    for (const login of names) {
      const { body } = await app.request('POST', '/api/register', { body: { login, password } });
      ids[login] = body.id;
    }
    const sorted = ['jan', 'Jan & Co.', 'Jan \u{1f469}\u200d\u{1f52c}', 'jan@', 'jan'.repeat(85)].map(
      (name) => ids[name],
    );
    expect(await readAll(app, admin.access, '?limit=1&username=JAN')).toEqual(sorted);
    expect(await readAll(app, admin.access, '?limit=1&username=jan%20%26')).toEqual([ids['Jan & Co.']]);
  });

  it('is narrowed by status, role and time, together or alone', async () => {
    const app = await testApp({ variables, clock: createClock(Date.parse('2026-03-01T00:00:00Z')) });
    await makeRole(app, 'editor', []);
    const admin = await registerAdmin(app);
    app.clock.advance(3600);
    const editor = await registerWith(app, ['editor', 'user']);
    app.clock.advance(3600);
    const user = await registerUser(app);
    const { body } = await app.request('POST', '/auth/login', { body: { identifier: admin.email, password } });
    const token = body.access_token;
    await app.request('POST', `/admin/users/${editor.id}/disable`, { token });
    const ids = (query: string) => idsOf(app, token, query);
    expect(await ids('?status=disabled')).toEqual([editor.id]);
    expect(await ids('?status=active')).toEqual([user.id, admin.id]);
    expect(await ids('?role=editor')).toEqual([editor.id]);
    expect(await ids('?role=user&limit=2')).toEqual([user.id, editor.id]);
    expect(await ids('?role=admin&status=disabled')).toEqual([]);
    expect(await ids('?role=ghost')).toEqual([]);
    expect(await ids('?created_from=2026-03-01T01:00:00Z')).toEqual([user.id, editor.id]);
    expect(await ids('?created_to=2026-03-01T01:00:00Z')).toEqual([admin.id]);
    const between = 'created_from=2026-03-01T02:00:00%2B01:00&created_to=2026-03-01T01:30:00Z';
    expect(await ids(`?${between}&status=disabled&role=user`)).toEqual([editor.id]);
    for (const wide of [
      'created_from=0001-01-01T00:00:00Z&created_to=9999-12-31T23:59:59Z',
      'created_from=0000-01-01T00:00:00%2B14:00&created_to=9999-12-31T23:59:59-14:00',
      'cursor=9999999999999_ffffffff-ffff-ffff-ffff-ffffffffffff',
    ])
      expect(await ids(`?${wide}&limit=1`)).toEqual([user.id]);
    expect(await ids('?cursor=-9999999999999_00000000-0000-0000-0000-000000000000')).toEqual([]);
  });

  it('goes by when somebody was created, whatever the ids of another system tell, also where many were at once', async () => {
    const app = await testApp({ variables, clock: createClock(Date.parse('2026-03-01T00:00:00Z')) });
    const admin = await registerAdmin(app);
    const years = [2019, 2021, 2021, 2021, 2023];
    const people = years.map((year, n) => ({
      id: `${['f', '0', '9', '5', '1'][n]}0000000-0000-4000-8000-000000000000`,
      username: `user${n}`,
      disabled: n === 1,
      created_at: `${year}-01-01T00:00:00Z`,
    }));
    const rules = importedUser({ pepperIds: [], roles: [], now: app.clock.now() });
    await importUsers(app.deps, z.array(rules).parse(people), false);
    const [first, b, c, d, last] = people.map(({ id }) => id);
    const all = [admin.id, last, c, d, b, first];
    for (const limit of [1, 2, 3, 100]) {
      expect(await readAll(app, admin.access, `?limit=${limit}`)).toEqual(all);
      expect(await readAll(app, admin.access, `?limit=${limit}&role=user`)).toEqual(all);
      expect(await readAll(app, admin.access, `?limit=${limit}&role=user&status=active`)).toEqual(
        all.filter((id) => id !== b),
      );
    }
    const ids = (query: string) => idsOf(app, admin.access, query);
    expect(await ids('?created_from=2021-01-01T00:00:00Z&created_to=2023-01-01T00:00:00Z')).toEqual([c, d, b]);
    expect(await ids('?created_from=2022-01-01T00:00:00Z&role=user')).toEqual([admin.id, last]);
  });

  it('knows who has a role at once after each change, and nobody who is gone', async () => {
    const app = await testApp({ variables });
    await makeRole(app, 'editor', []);
    const admin = await registerAdmin(app);
    const [ann, ben] = [await registerUser(app), await registerUser(app)];
    const sorted = async (query: string) => (await idsOf(app, admin.access, query)).toSorted();
    const editors = (...people: { id: string }[]) => people.map(({ id }) => id).toSorted();
    const put = (id: string, roles: string[]) =>
      app.request('PUT', `/admin/users/${id}/roles`, { token: admin.access, body: { roles } });
    for (const { id } of [ann, ben]) await put(id, ['editor', 'user']);
    expect(await sorted('?role=editor')).toEqual(editors(ann, ben));
    await app.request('POST', `/admin/users/${ann.id}/disable`, { token: admin.access });
    expect(await sorted('?role=editor&status=active')).toEqual(editors(ben));
    await app.request('POST', `/admin/users/${ann.id}/enable`, { token: admin.access });
    expect(await sorted('?role=editor&status=active')).toEqual(editors(ann, ben));
    await put(ann.id, ['user']);
    expect(await sorted('?role=editor')).toEqual(editors(ben));
    await app.request('DELETE', `/admin/users/${ben.id}`, { token: admin.access });
    expect(await sorted('?role=editor')).toEqual([]);
    expect(await sorted('?role=user')).toEqual(editors(admin, ann));
  });

  it('finds a whole address in any spelling, and how a username begins', async () => {
    const app = await testApp({ variables });
    const admin = await registerAdmin(app);
    const user = await registerUser(app, { username: 'Zoë.one' });
    const second = await registerUser(app, { username: 'zoë_two' });
    const third = await registerUser(app, { username: 'zoë' });
    await registerUser(app, { username: 'zo' });
    await registerUser(app, { username: 'zof' });
    const ids = (query: string) => idsOf(app, admin.access, query);
    const search = async (email: string) =>
      (await app.request('POST', '/admin/users/search', { token: admin.access, body: { email } })).body;
    expect(await search(user.email.toUpperCase())).toMatchObject({ items: [{ id: user.id }], next_cursor: null });
    expect(await search('nobody@example.com')).toEqual({ items: [], next_cursor: null });
    expect((await search('nobody')).errors).toMatchObject([{ path: 'email' }]);
    const prefix = `?username=${encodeURIComponent('ZOË')}`;
    expect(await ids(prefix)).toEqual([third.id, user.id, second.id]);
    for (const limit of [1, 2]) {
      expect(await readAll(app, admin.access, `${prefix}&limit=${limit}`)).toEqual([third.id, user.id, second.id]);
    }
    expect(await ids('?username=zoe')).toEqual([]);
  });

  it('refuses filters that do not fit', async () => {
    const app = await testApp();
    const { access: token } = await registerAdmin(app);
    const wrong = [
      'status=gone',
      'role=A',
      'created_from=yesterday',
      'created_to=2026-13-01T00:00:00Z',
      'username=%00',
      'username=%00',
      'username=a&role=user',
      'cursor=abc',
      `cursor=${crypto.randomUUID()}`,
      `cursor=99999999999999_${crypto.randomUUID()}`,
      `role=user&cursor=1_x`,
      'username=a&cursor=%00',
      'limit=101',
      'status=active&status=disabled',
    ];
    for (const query of wrong) expect([query, (await list(app, token, `?${query}`)).status]).toEqual([query, 422]);
  });
});

describe('one user', () => {
  it('is shown with what is sealed, sessions and activity', async () => {
    const app = await testApp({ variables });
    const admin = await registerAdmin(app);
    const fields = { username: 'ann', name: 'Ann', surname: 'Lee', phone_number: '+14155550100', locale: 'de' };
    const user = await registerUser(app, fields);
    app.clock.advance(1);
    await app.request('POST', '/auth/logout', { token: user.access });
    app.clock.advance(1);
    await app.request('POST', '/auth/login', { body: { identifier: 'ann', password } });
    app.clock.advance(1);
    const get = async (path: string) => (await app.request('GET', path, { token: admin.access })).body;
    const path = `/admin/users/${user.id}`;
    expect(await get(path)).toMatchObject({
      ...fields,
      id: user.id,
      email: user.email,
      email_verified: false,
      email_verified_at: null,
      status: 'active',
      roles: ['user'],
      has_password: true,
    });
    const { items: sessions } = await get(`${path}/sessions`);
    expect(sessions).toMatchObject([{ ended_at: null }, { ended_reason: 'logout', address: '192.0.2.0/24' }]);
    const { items: activity } = await get(`${path}/activity?limit=3`);
    expect(activity).toMatchObject([
      { type: 'user_viewed', user_id: user.id, actor_id: admin.id },
      { type: 'login', user_id: user.id, actor_id: null },
      { type: 'logout', user_id: user.id },
    ]);
    const next = await get(`${path}/activity?cursor=${activity[2].id}`);
    expect(next.items).toMatchObject([{ type: 'user_registered' }]);
    for (const id of [crypto.randomUUID(), 'x', '%00']) {
      expect((await app.request('GET', `/admin/users/${id}`, { token: admin.access })).status).toBe(404);
    }
  });

  it('is made with a password, and signs in with it', async () => {
    const app = await testApp({ variables });
    const { id: actor, access: token } = await registerAdmin(app);
    const email = 'made@example.com';
    const body = { email, username: 'made', password, name: 'Made' };
    const made = await app.request('POST', '/admin/users', { token, body });
    expect([made.status, made.body]).toMatchObject([
      201,
      { email, email_verified: false, roles: ['user'], name: 'Made' },
    ]);
    expect(mailTo(app, email).text).toContain('chose its password');
    expect((await app.request('POST', '/auth/login', { body: { email, password } })).status).toBe(200);
    for (const field of ['email', 'username'] as const) {
      const again = { email: 'other@example.com', username: 'other', [field]: body[field], password };
      const { status, body: problem } = await app.request('POST', '/admin/users', { token, body: again });
      expect([status, problem.errors?.[0]?.path]).toEqual([409, field]);
    }
    const { body: audit } = await app.request('GET', '/admin/audit?type=user_created', { token });
    expect(audit.items).toMatchObject([{ user_id: made.body.id, actor_id: actor, result: 'success' }]);
  });

  it('is not made with a verified address and a password of the admin: its owner has to choose one', async () => {
    const app = await testApp({ variables });
    const { access: token } = await registerAdmin(app);
    const body = { email: 'somebody@example.com', email_verified: true, password };
    const { status, body: problem } = await app.request('POST', '/admin/users', { token, body });
    expect([status, problem.errors]).toMatchObject([422, [{ path: 'email_verified' }]]);
    expect((await app.request('POST', '/auth/login', { body: { email: body.email, password } })).status).toBe(401);
  });

  it('is made without a password, which the mail is for', async () => {
    const app = await testApp({ variables });
    const { access: token } = await registerAdmin(app);
    const email = 'invited@example.com';
    const made = await app.request('POST', '/admin/users', { token, body: { email, locale: 'de' } });
    expect([made.status, made.body.has_password]).toEqual([201, false]);
    expect(mailTo(app, email).subject).toContain('Passwort');
    const reset = { token: secretsTo(app, email).token, password };
    expect((await app.request('POST', '/auth/reset-password', { body: reset })).status).toBe(200);
    const { body } = await app.request('POST', '/auth/login', { body: { email, password } });
    expect(body.user.email_verified).toBe(true);
  });

  it('is not made of what is wrong', async () => {
    const app = await testApp({ variables });
    const { access: token } = await registerAdmin(app);
    const wrong = [
      {},
      { username: 'lonely' },
      { email: 'a@b.example', password: 'password' },
      { email: 'longname@b.example', password: 'longname 2026' },
      { email: 'a@b.example', roles: 3, email_verified: 'yes' },
    ];
    for (const body of wrong) expect((await app.request('POST', '/admin/users', { token, body })).status).toBe(422);
    const { body } = await app.request('POST', '/admin/users', {
      token,
      body: { username: 'plain', password, roles: ['admin'] },
    });
    expect(body.roles).toEqual(['user']);
  });
});

describe('the sessions and the activity of a user', () => {
  it('are 404 for a user who is not there, as the user is, and an empty page where there is nothing more', async () => {
    const app = await testApp();
    const [admin, user] = [await registerAdmin(app), await registerUser(app)];
    const get = (path: string) => app.request('GET', `/admin/users/${path}`, { token: admin.access });
    const first = '00000000-0000-7000-8000-000000000000';
    for (const part of ['', '/sessions', '/activity']) {
      const { status, body } = await get(`${crypto.randomUUID()}${part}`);
      expect([status, body.code]).toEqual([404, 'not_found']);
    }
    for (const part of ['sessions', 'activity']) {
      const beyond = await get(`${user.id}/${part}?cursor=${first}`);
      expect([beyond.status, beyond.body]).toEqual([200, { items: [], next_cursor: null }]);
    }
  });
});
