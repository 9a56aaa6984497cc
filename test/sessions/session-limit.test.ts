import { describe, expect, it } from 'vitest';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { createClock, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { ask, login } from '../tokens/sessions-under-test.ts';

const limits = { LIMIT_LOGIN_ADDRESS: '1000/60' };
const withCap = (cap: number) => ({ ...limits, MAX_SESSIONS: String(cap) });
const refresh = async ({ request }: TestApp, refresh_token: string) =>
  (await request('POST', '/auth/refresh', { body: { refresh_token } })).status;
const rows = async ({ deps }: TestApp) => {
  const { sessions } = await import('../../src/db/schema.ts');
  return await deps.db.select().from(sessions);
};
const openOf = async (app: TestApp, userId: string) =>
  (await rows(app)).filter((row) => row.userId === userId && row.endedAt === null);

describe('the bound of sessions for each user', () => {
  it('ends the oldest at a sign-in beyond it, with its tokens at once, and tells the user', async () => {
    const app = await testApp({ variables: withCap(2) });
    const stranger = await registerUser(app);
    const first = await registerUser(app);
    app.clock.advance(300);
    const second = await login(app, first.email);
    app.clock.advance(300);
    for (const { access } of [first, second]) expect(await ask(app, access)).toBe(200);
    const third = await login(app, first.email);
    expect(await ask(app, first.access)).toBe(401);
    expect(await refresh(app, first.refresh)).toBe(401);
    for (const { access } of [second, third, stranger]) expect(await ask(app, access)).toBe(200);
    expect((await rows(app)).filter(({ endedReason }) => endedReason === 'session_limit')).toHaveLength(1);
    const { body } = await app.request('GET', '/users/activity', { token: third.access });
    const types = body.items.map(({ type }: { type: string }) => type);
    expect(types.toSorted()).toEqual(['login', 'login', 'session_limit', 'user_registered']);
  });

  it('counts no session that is dead already', async () => {
    const app = await testApp({ variables: { ...withCap(2), SESSION_IDLE_TTL: '3600' } });
    const user = await registerUser(app);
    for (const wait of [0, 1, 1]) {
      app.clock.advance(wait);
      await app.request('POST', '/auth/logout', { token: (await login(app, user.email)).access });
    }
    app.clock.advance(1);
    const idle = await login(app, user.email);
    app.clock.advance(3000);
    expect(await refresh(app, user.refresh)).toBe(200);
    app.clock.advance(700);
    const last = await login(app, user.email);
    expect((await openOf(app, user.id)).length).toBe(3);
    expect(await ask(app, last.access)).toBe(200);
    expect(await refresh(app, idle.refresh)).toBe(401);
    const { body } = await app.request('GET', '/users/sessions', { token: last.access });
    expect(body.items).toHaveLength(2);
  });

  it('brings down those that are more, from before there was one', async () => {
    const before = await testApp({ variables: withCap(0) });
    const user = await registerUser(before);
    for (let count = 0; count < 5; count += 1) await login(before, user.email);
    expect(await openOf(before, user.id)).toHaveLength(6);
    const { databaseUrl, clock } = before;
    const app = await testApp({ databaseUrl, clock, variables: withCap(3) });
    await login(app, user.email);
    expect(await openOf(app, user.id)).toHaveLength(3);
  });

  it('is none where it is 0, and costs nothing then', async () => {
    const app = await testApp({ variables: withCap(0) });
    const user = await registerUser(app);
    const before = app.statements.length;
    await login(app, user.email);
    expect(app.statements.length - before).toBe(2);
  });

  it.each([1, 3])('of %i holds for sign-ins at the same time, of which not all are lost', async (cap) => {
    const clock = createClock();
    const options = {
      clock,
      kv: createMemoryKeyValue(clock),
      variables: { ...withCap(cap), LOCKOUT_ACCOUNT_ADDRESS: '50/60/60/60' },
    };
    const one = await testApp(options);
    const other = await testApp({ ...options, databaseUrl: one.databaseUrl });
    for (let round = 0; round < 5; round += 1) {
      const user = await registerUser(one);
      // A clock that is ahead makes a session that all others are older than; it must not cost a sign-in its own.
      clock.advance(round % 2 === 0 ? 0 : -50);
      const racing = Array.from({ length: 6 }, (_, index) => login(index % 2 === 0 ? one : other, user.email));
      const signedIn = await Promise.all(racing);
      const open = await openOf(one, user.id);
      expect(open).toHaveLength(cap);
      const good = await Promise.all([user, ...signedIn].map(({ access }) => ask(other, access)));
      expect(good.filter((status) => status === 200)).toHaveLength(cap);
      clock.advance(60);
      const alone = await login(one, user.email);
      expect(await ask(other, alone.access)).toBe(200);
    }
  });
});
