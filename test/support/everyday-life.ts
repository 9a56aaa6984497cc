import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import { registerAdmin } from './admin.ts';
import { mailTo, secretsTo } from './mail.ts';
import { createClock, password, registerUser, testApp } from './test-app.ts';

/** What people and admins do, through HTTP, all of it right to the millisecond. @param dateStyle that the database really has */
export async function liveThere(databaseUrl: string, dateStyle?: string): Promise<void> {
  // A day and a month that can be swapped, and a summer time that ends within a day.
  const clock = createClock(Date.parse('2026-11-01T03:30:00.123Z'));
  const begun = new Date(clock.now()).toISOString();
  const limits = { LIMIT_REFRESH_SESSION: '1000/60', LIMIT_REGISTER_ADDRESS: '1000/60', LIMIT_MAIL_ACCOUNT: '100/60' };
  const app = await testApp({ databaseUrl, clock, variables: limits });
  if (dateStyle !== undefined) {
    const settings = await app.deps.db.execute(sql.raw("select current_setting('datestyle') as style"));
    expect(JSON.stringify(settings)).toContain(dateStyle);
  }
  const ann = await registerUser(app, { username: 'ann' });
  const me = await app.request('GET', '/users/profile', { token: ann.access });
  expect([me.status, me.body.created_at]).toEqual([200, begun]);
  const changed = await app.request('PUT', '/users/profile', {
    body: { name: 'O\\Ann' },
    token: ann.access,
    headers: { 'If-Match': me.headers.get('ETag') ?? '' },
  });
  expect([changed.status, changed.body.created_at, changed.body.name]).toEqual([200, begun, 'O\\Ann']);

  clock.advance(1);
  const next = () => app.request('POST', '/auth/refresh', { body: { refresh_token: ann.refresh } });
  const refreshed = await Promise.all(Array.from({ length: 6 }, next));
  expect(refreshed.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 200));
  expect(new Set(refreshed.map(({ body }) => body.refresh_token)).size).toBe(1);
  const token = String(refreshed[0]?.body.access_token);
  expect((await app.request('GET', '/auth/verify-token', { token })).status).toBe(200);
  const [session] = (await app.request('GET', '/users/sessions', { token })).body.items;
  expect([session.created_at, session.last_seen_at]).toEqual([begun, new Date(clock.now()).toISOString()]);
  const activity = await app.request('GET', '/users/activity', { token });
  expect(activity.body.items.map((item: { created_at: string }) => item.created_at.slice(0, 10))).toContain(
    '2026-11-01',
  );
  expect((await app.request('GET', '/users/export', { token })).status).toBe(200);

  // A link of 24 hours, sent late, over the night in which the clocks there go back.
  expect((await app.request('POST', '/auth/resend-verification', { body: { email: ann.email } })).status).toBe(202);
  await app.app.runScheduled();
  clock.advance(24 * 3600 - 60);
  const verify = { token: secretsTo(app, ann.email).token };
  expect((await app.request('POST', '/auth/verify-email', { body: verify })).status).toBe(200);

  const admin = await registerAdmin(app);
  const users = await app.request(
    'GET',
    '/admin/users?created_from=2026-11-01T03:00:00Z&created_to=2026-11-01T04:00:00Z',
    {
      token: admin.access,
    },
  );
  expect(users.body.items.map((item: { id: string; created_at: string }) => [item.id, item.created_at])).toEqual([
    [ann.id, begun],
  ]);
  for (const path of ['/admin/audit', '/admin/events']) {
    expect((await app.request('GET', path, { token: admin.access })).status).toBe(200);
  }

  await app.request('POST', '/auth/forgot-password', { body: { email: ann.email } });
  expect(mailTo(app, ann.email).text).toContain('/');
  const reset = { token: secretsTo(app, ann.email).token, password: `${password} anew` };
  expect((await app.request('POST', '/auth/reset-password', { body: reset })).status).toBe(200);
  const signIn = { identifier: ann.email, password: `${password} anew` };
  const login = await app.request('POST', '/auth/login', { body: signIn });
  expect(login.status).toBe(200);
  expect(
    (await app.request('POST', '/auth/logout', { body: { refresh_token: login.body.refresh_token } })).status,
  ).toBe(200);
  const other = await registerUser(app);
  for (const action of ['disable', 'enable', 'revoke-sessions']) {
    expect((await app.request('POST', `/admin/users/${other.id}/${action}`, { token: admin.access })).status).toBe(200);
  }
  const roles = { body: { roles: ['user', 'admin'] }, token: admin.access };
  expect((await app.request('PUT', `/admin/users/${other.id}/roles`, roles)).status).toBe(200);
  const leaving = await registerUser(app);
  const gone = await app.request('DELETE', '/users/delete-account', { body: { password }, token: leaving.access });
  expect(gone.status).toBe(200);
  clock.advance(400 * 86_400);
  await app.app.runScheduled();
  expect(app.logLines.filter((line) => /"level":"(error|warn)"/.test(line))).toEqual([]);
}
