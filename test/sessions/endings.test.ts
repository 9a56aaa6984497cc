import { expect, it } from 'vitest';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { ask, login } from '../tokens/sessions-under-test.ts';

const many = 2500;
const count = async ({ deps }: TestApp, what: string): Promise<unknown> =>
  Reflect.get((await deps.db.execute(`select count(*)::int as n from ${what}`)) as object, 'rows')[0].n;

/** A user with very many sessions and as many rows of the audit log. */
async function crowded() {
  const app = await testApp({ variables: { MAX_SESSIONS: '0' } });
  const user = await registerUser(app);
  await app.deps.db.execute(`insert into sessions
    (id, user_id, client_id, scope, epoch, rotated_at, authenticated_at, created_at, expires_at)
    select gen_random_uuid(), user_id, client_id, scope, epoch, rotated_at, authenticated_at, created_at, expires_at
    from sessions, generate_series(1, ${many}) as n`);
  await app.deps.db.execute(`insert into audit_log (id, type, result, user_id, address, created_at)
    select gen_random_uuid(), type, result, user_id, '192.0.2.0/24', created_at
    from audit_log, generate_series(1, ${many}) as n`);
  return { app, user };
}

it('the end of very many sessions is there at once, and noted for each by the scheduled work', async () => {
  const { app, user } = await crowded();
  const kept = await login(app, user.email);
  const body = { current_password: password, new_password: 'another battery staple' };
  expect((await app.request('POST', '/users/change-password', { token: kept.access, body })).status).toBe(200);
  expect(await ask(app, user.access)).toBe(401);
  expect((await app.request('POST', '/auth/refresh', { body: { refresh_token: user.refresh } })).status).toBe(401);
  const { body: listed } = await app.request('GET', '/users/sessions', { token: kept.access });
  expect(listed.items).toHaveLength(1);
  expect(await count(app, 'sessions where ended_at is null')).toBe(many + 2 - 1000);
  // As long as tokens of theirs are about the mark of the user is repeated, and not one for each.
  await app.app.runScheduled();
  expect(await ask(app, user.access)).toBe(401);
  expect(await ask(app, kept.access)).toBe(200);
  app.clock.advance(1100);
  await app.app.runScheduled();
  expect(await count(app, 'sessions where ended_at is null')).toBe(1);
  expect(await count(app, `sessions where ended_reason = 'password_changed'`)).toBe(many + 1);
  expect(await count(app, 'session_endings')).toBe(0);
});

it('of a user who is deleted nothing is left soon, however much there was, and what is left meanwhile is dead', async () => {
  const { app, user } = await crowded();
  const { status } = await app.request('DELETE', '/users/delete-account', { token: user.access, body: { password } });
  expect(status).toBe(200);
  expect(await count(app, 'sessions')).toBeGreaterThan(0);
  expect(await ask(app, user.access)).toBe(401);
  expect((await app.request('POST', '/auth/refresh', { body: { refresh_token: user.refresh } })).status).toBe(401);
  await app.app.runScheduled();
  expect(await count(app, 'sessions')).toBe(0);
  expect(await count(app, 'audit_log where coalesce(user_id, actor_id, session_id) is not null')).toBe(0);
  expect(await count(app, 'audit_log where coalesce(address, user_agent) is not null')).toBe(0);
  // The mark of the user is repeated from it.
  expect(await count(app, 'session_endings')).toBe(1);
  app.clock.advance(1100);
  await app.app.runScheduled();
  expect(await count(app, 'session_endings')).toBe(0);
});
