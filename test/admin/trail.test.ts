import { expect, it } from 'vitest';
import { noteRefusal } from '../../src/sessions/notes.ts';
import { registerAdmin } from '../support/admin.ts';
import { registerUser, type TestApp, testApp } from '../support/test-app.ts';

async function rowsOf({ deps }: TestApp, types: readonly string[]) {
  const { auditLog } = await import('../../src/db/schema.ts');
  const rows = await deps.db.select().from(auditLog);
  return rows
    .filter(({ type }) => types.includes(type))
    .map(({ type, result, userId, actorId, address }) => ({ type, result, userId, actorId, address }));
}

it('whoever looks at the personal data of others is told of in the audit log: who, at whom, and from where', async () => {
  const app = await testApp();
  const [admin, ann] = [await registerAdmin(app), await registerUser(app)];
  const sent = { token: admin.access, address: '198.51.100.7' };
  const views = ['users_listed', 'user_searched', 'user_viewed', 'audit_viewed'];
  for (let times = 0; times < 3; times += 1) {
    await app.request('GET', '/admin/users', sent);
    await app.request('POST', '/admin/users/search', { ...sent, body: { email: ann.email } });
    await app.request('GET', `/admin/users/${ann.id}`, sent);
    await app.request('GET', `/admin/users/${ann.id}/sessions`, sent);
    await app.request('GET', '/admin/audit', sent);
  }
  // The same look again within a minute is no news.
  const by = { result: 'success', actorId: admin.id, address: '198.51.100.0/24' };
  expect(await rowsOf(app, views)).toEqual([
    { ...by, type: 'users_listed', userId: null },
    { ...by, type: 'user_searched', userId: ann.id },
    { ...by, type: 'user_viewed', userId: ann.id },
    { ...by, type: 'audit_viewed', userId: null },
  ]);
  app.clock.advance(61);
  await app.request('GET', '/admin/users', sent);
  expect(await rowsOf(app, ['users_listed'])).toHaveLength(2);
});

it('refused permissions, limits and locks are told of too, and a flood of them fills nothing', async () => {
  const app = await testApp({ variables: { LIMIT_READ_USER: '3/60', LOCKOUT_ACCOUNT_ADDRESS: '2/60/60/60' } });
  const ann = await registerUser(app);
  for (let times = 0; times < 12; times += 1) {
    await app.request('GET', '/admin/users', { token: ann.access });
    await app.request('GET', '/users/me', { token: ann.access });
    await app.request('POST', '/auth/login', { body: { identifier: ann.email, password: 'wrong' } });
  }
  const rows = await rowsOf(app, ['permission_refused', 'limit_reached', 'lock_refused']);
  const from = { result: 'failure', actorId: null, address: '192.0.2.0/24' };
  const five = (row: object) => Array.from({ length: 5 }, () => ({ ...from, ...row }));
  expect(rows.filter(({ type }) => type === 'permission_refused')).toEqual(
    five({ type: 'permission_refused', userId: ann.id }),
  );
  expect(rows.filter(({ type }) => type === 'limit_reached')).toEqual(five({ type: 'limit_reached', userId: ann.id }));
  expect(rows.filter(({ type }) => type === 'lock_refused')).toEqual(five({ type: 'lock_refused', userId: null }));
});

it('no flood of refusals takes the room of views, or of refusals of another kind, and the log tells what it drops', async () => {
  const app = await testApp();
  const [admin, ann] = [await registerAdmin(app), await registerUser(app)];
  const gate = { ...app.deps, addressKey: async (address: string | undefined) => `${address}` };
  for (let number = 0; number < 1010; number += 1) {
    const origin = { address: `198.51.${number >> 8}.${number & 255}`, userAgent: undefined };
    await noteRefusal(gate, 'rate_limited', undefined, origin);
  }
  const dropped = () =>
    app.logLines.filter((line) => line.includes('"audit_rows_dropped"')).map((line) => JSON.parse(line));
  expect(dropped()).toMatchObject([{ level: 'warn', type: 'limit_reached' }]);
  await app.request('GET', '/admin/users', { token: ann.access });
  await app.request('GET', `/admin/users/${ann.id}`, { token: admin.access });
  expect(await rowsOf(app, ['limit_reached'])).toHaveLength(1000);
  expect(await rowsOf(app, ['permission_refused'])).toMatchObject([{ userId: ann.id }]);
  expect(await rowsOf(app, ['user_viewed'])).toMatchObject([{ userId: ann.id, actorId: admin.id }]);
  expect(dropped()).toHaveLength(1);
});
