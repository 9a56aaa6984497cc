import { describe, expect, it } from 'vitest';
import { registerAdmin } from '../support/admin.ts';
import { lastingRows } from '../support/dump.ts';
import { mailTo, secretsTo } from '../support/mail.ts';
import { hasSharedKeyValue, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { ask } from '../tokens/sessions-under-test.ts';

const variables = { LIMIT_REGISTER_ADDRESS: '100000/60' };
const act = ({ request }: TestApp, token: string, id: string, action: string) =>
  request('POST', `/admin/users/${id}/${action}`, { token });
const login = ({ request }: TestApp, email: string) => request('POST', '/auth/login', { body: { email, password } });
const refresh = ({ request }: TestApp, token: string) =>
  request('POST', '/auth/refresh', { body: { refresh_token: token } });
const audit = async ({ request }: TestApp, token: string, query: string) =>
  (await request('GET', `/admin/audit?${query}`, { token })).body.items;

describe.each(['memory', 'shared'] as const)('with the key-value store %s, an admin', (kv) => {
  const possible = it.skipIf(kv === 'shared' && !hasSharedKeyValue());

  possible('disables a user, whose sessions die at once, and enables them again', async () => {
    const app = await testApp({ kv, variables });
    const [admin, user] = [await registerAdmin(app), await registerUser(app)];
    app.clock.advance(1);
    const { status, body } = await act(app, admin.access, user.id, 'disable');
    expect([status, body.sessions_ended]).toEqual([200, 1]);
    expect(await ask(app, user.access)).toBe(401);
    expect((await refresh(app, user.refresh)).status).toBe(401);
    expect((await login(app, user.email)).status).toBe(401);
    expect((await act(app, admin.access, user.id, 'disable')).status).toBe(200);
    expect((await act(app, admin.access, user.id, 'enable')).status).toBe(200);
    expect(await ask(app, user.access)).toBe(401);
    app.clock.advance(1);
    const again = await login(app, user.email);
    expect(await ask(app, again.body.access_token)).toBe(200);
    expect(await ask(app, admin.access)).toBe(200);
  });

  possible('ends all sessions of a user, and new ones start', async () => {
    const app = await testApp({ kv, variables });
    const [admin, user] = [await registerAdmin(app), await registerUser(app)];
    await login(app, user.email);
    app.clock.advance(1);
    const { status, body } = await act(app, admin.access, user.id, 'revoke-sessions');
    expect([status, body.sessions_ended]).toEqual([200, 2]);
    expect(await ask(app, user.access)).toBe(401);
    app.clock.advance(1);
    expect(await ask(app, (await login(app, user.email)).body.access_token)).toBe(200);
  });
});

describe('an admin', () => {
  it('takes a password away: sessions end, earlier links too, and a mail to choose another one follows', async () => {
    const app = await testApp({ variables });
    const [admin, user] = [await registerAdmin(app), await registerUser(app)];
    await app.request('POST', '/auth/forgot-password', { body: { email: user.email } });
    const earlier = secretsTo(app, user.email).token;
    const { status } = await act(app, admin.access, user.id, 'force-password-reset');
    expect(status).toBe(200);
    expect(await ask(app, user.access)).toBe(401);
    expect((await login(app, user.email)).status).toBe(401);
    const mail = mailTo(app, user.email);
    expect(mail.subject).toContain('Choose a password');
    expect(mail.text).not.toContain('192.0.2');
    const reset = (token: string) => app.request('POST', '/auth/reset-password', { body: { token, password } });
    expect((await reset(earlier)).status).toBe(410);
    expect((await reset(secretsTo(app, user.email).token)).status).toBe(200);
    expect((await login(app, user.email)).status).toBe(200);
    const { body } = await app.request('POST', '/admin/users', {
      token: admin.access,
      body: { username: 'no-mail', password },
    });
    const refused = await act(app, admin.access, body.id, 'force-password-reset');
    expect([refused.status, refused.body.code]).toEqual([409, 'email_missing']);
    expect((await app.request('POST', '/auth/login', { body: { username: 'no-mail', password } })).status).toBe(200);
  });

  it('deletes a user, and nothing of them is left but who did it', async () => {
    const app = await testApp({ variables });
    const [admin, user] = [await registerAdmin(app), await registerUser(app, { username: 'fleeting' })];
    await act(app, admin.access, user.id, 'revoke-sessions');
    const { status } = await app.request('DELETE', `/admin/users/${user.id}`, { token: admin.access });
    expect(status).toBe(200);
    expect(await ask(app, user.access)).toBe(401);
    expect(mailTo(app, user.email).subject).toContain('was deleted');
    const rows = (await lastingRows(app)).join('\n');
    expect(rows).not.toContain(user.id);
    expect(rows).not.toContain('fleeting');
    expect(await audit(app, admin.access, 'type=user_deleted')).toMatchObject([{ user_id: null, actor_id: admin.id }]);
    const done = await audit(app, admin.access, `actor=${admin.id}`);
    expect(done.filter(({ type }: { type: string }) => type !== 'audit_viewed')).toHaveLength(2);
    expect((await app.request('DELETE', `/admin/users/${user.id}`, { token: admin.access })).status).toBe(404);
  });

  it('who is deleted is forgotten by the audit log, and what was done to others stays', async () => {
    const app = await testApp({ variables });
    const [admin, other, user] = [await registerAdmin(app), await registerAdmin(app), await registerUser(app)];
    await act(app, other.access, user.id, 'disable');
    expect((await app.request('DELETE', `/admin/users/${other.id}`, { token: admin.access })).status).toBe(200);
    expect((await lastingRows(app)).join('\n')).not.toContain(other.id);
    const [event] = await audit(app, admin.access, `user=${user.id}&type=user_disabled`);
    expect(event).toMatchObject({ actor_id: null, session_id: null, address: null });
  });

  it('who deletes their own account there leaves nothing either', async () => {
    const app = await testApp({ variables });
    const [admin, other] = [await registerAdmin(app), await registerAdmin(app)];
    expect((await app.request('DELETE', `/admin/users/${other.id}`, { token: other.access })).status).toBe(200);
    const rows = (await lastingRows(app)).filter((row) => row.includes('user_deleted'));
    expect(rows).toHaveLength(1);
    expect(rows.join()).not.toContain('192.0.2');
    expect((await lastingRows(app)).join('\n')).not.toContain(other.id);
    expect(await ask(app, admin.access)).toBe(200);
  });

  it('is told of users that there are not', async () => {
    const app = await testApp({ variables });
    const { access } = await registerAdmin(app);
    for (const action of ['disable', 'enable', 'force-password-reset', 'revoke-sessions']) {
      for (const id of [crypto.randomUUID(), 'x']) expect((await act(app, access, id, action)).status).toBe(404);
    }
  });
});

describe('the audit log', () => {
  it('has each action with its actor, by every filter and page by page', async () => {
    const app = await testApp({ variables });
    const [admin, user] = [await registerAdmin(app), await registerUser(app)];
    const start = new Date(app.clock.now() + 1000).toISOString();
    app.clock.advance(2);
    const actions = ['disable', 'enable', 'revoke-sessions', 'force-password-reset'];
    for (const action of actions) await act(app, admin.access, user.id, action);
    await app.request('PUT', `/admin/users/${user.id}/roles`, { token: admin.access, body: { roles: ['user'] } });
    app.clock.advance(1);
    const end = new Date(app.clock.now()).toISOString();
    await app.request('POST', '/auth/login', { body: { email: user.email, password: 'wrong password' } });
    const types = ['roles_changed', 'password_reset_forced', 'sessions_revoked', 'user_enabled', 'user_disabled'];
    const changesOf = (items: { type: string }[]) =>
      items.map(({ type }) => type).filter((type) => type !== 'audit_viewed');
    const typesOf = async (query: string) => changesOf(await audit(app, admin.access, query)).sort();
    expect(await typesOf(`actor=${admin.id}`)).toEqual(types.toSorted());
    expect(await typesOf(`from=${start}&to=${end}`)).toEqual(types.toSorted());
    expect(await typesOf(`user=${user.id}&from=${start}&result=success`)).toEqual(types.toSorted());
    expect(await typesOf('type=user_disabled&result=success')).toEqual(['user_disabled']);
    expect(await typesOf('result=failure')).toEqual(['login']);
    expect(await typesOf(`user=${user.id}&actor=${admin.id}&type=user_enabled`)).toEqual(['user_enabled']);
    expect(await typesOf(`actor=${user.id}`)).toEqual([]);
    const [event] = await audit(app, admin.access, `actor=${admin.id}&user=${user.id}&limit=1`);
    expect(event).toMatchObject({ user_id: user.id, address: '192.0.2.0/24', session_id: expect.any(String) });
    const pages: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const path: string = `/admin/audit?limit=2&actor=${admin.id}${cursor && `&cursor=${cursor}`}`;
      const { body } = await app.request('GET', path, { token: admin.access });
      pages.push(...changesOf(body.items));
      cursor = body.next_cursor;
    }
    expect(pages.toSorted()).toEqual(types.toSorted());
    for (const query of ['user=x', 'type=%00', 'result=maybe', 'from=1', 'cursor=1']) {
      expect((await app.request('GET', `/admin/audit?${query}`, { token: admin.access })).status).toBe(422);
    }
  });

  it('shows the user what was done, and not who did it or from where', async () => {
    const app = await testApp({ variables });
    const [admin, user] = [await registerAdmin(app), await registerUser(app)];
    app.clock.advance(1);
    await app.request('PUT', `/admin/users/${user.id}/roles`, { token: admin.access, body: { roles: ['user'] } });
    const { body: renewed } = await refresh(app, user.refresh);
    for (const path of ['/users/activity', '/users/export']) {
      const { body } = await app.request('GET', path, { token: renewed.access_token });
      const [event] = body.items ?? body.activity;
      expect(event).toMatchObject({ type: 'roles_changed', address: null, user_agent: null, session_id: null });
      expect(JSON.stringify(body)).not.toContain(admin.id);
    }
  });
});
