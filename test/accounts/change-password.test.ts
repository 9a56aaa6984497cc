import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { createClock, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { ask, login } from '../tokens/sessions-under-test.ts';

const next = 'a quieter pony on the stairs';

const change = ({ request }: TestApp, token: string, body: object = {}) =>
  request('POST', '/users/change-password', {
    token,
    body: { current_password: password, new_password: next, ...body },
  });
const signIn = async ({ request }: TestApp, email: string, typed: string) =>
  (await request('POST', '/auth/login', { body: { email, password: typed } })).status;
const refresh = async ({ request }: TestApp, refresh_token: string) =>
  (await request('POST', '/auth/refresh', { body: { refresh_token } })).status;

describe('changing the password', () => {
  it('keeps the session that asks, whose tokens stay good, and ends all others', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    const stranger = await registerUser(app);
    // Long enough for sessions that are told apart by their start alone.
    app.clock.advance(300);
    const others = [user, await login(app, user.email)];
    app.clock.advance(300);
    const mine = await login(app, user.email);
    app.clock.advance(300);
    const fresh = await login(app, user.email);
    const { status, body, headers } = await change(app, mine.access);
    expect([status, headers.get('Cache-Control')]).toEqual([200, 'no-store']);
    for (const token of [mine.access, body.access_token]) expect(await ask(app, token)).toBe(200);
    expect(await refresh(app, body.refresh_token)).toBe(200);
    for (const { access } of [...others, fresh]) expect(await ask(app, access)).toBe(401);
    for (const ended of [...others, fresh]) expect(await refresh(app, ended.refresh)).toBe(401);
    expect(await ask(app, stranger.access)).toBe(200);
    expect([await signIn(app, user.email, password), await signIn(app, user.email, next)]).toEqual([401, 200]);
    expect(decodeJwt(body.access_token)['auth_time']).toBe(Math.floor(app.clock.now() / 1000));
  });

  it('and all sessions end by a logout everywhere afterwards, the kept one too', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    app.clock.advance(300);
    const { body } = await change(app, user.access);
    await app.request('POST', '/auth/logout-all', { token: body.access_token });
    for (const token of [user.access, body.access_token]) expect(await ask(app, token)).toBe(401);
    expect(await refresh(app, body.refresh_token)).toBe(401);
  });

  it('with a wrong password changes nothing, does not look like a bad token, and is limited', async () => {
    const app = await testApp({ variables: { LIMIT_PASSWORD_USER: '3/60' } });
    const user = await registerUser(app);
    for (let times = 0; times < 3; times += 1) {
      const { status, body, headers } = await change(app, user.access, { current_password: 'wrong password' });
      expect([status, body.code]).toEqual([422, 'wrong_password']);
      expect(body.errors).toMatchObject([{ path: 'current_password' }]);
      expect(headers.get('WWW-Authenticate')).toBeNull();
    }
    expect((await change(app, user.access)).status).toBe(429);
    expect([await signIn(app, user.email, password), await signIn(app, user.email, next)]).toEqual([200, 401]);
    app.clock.advance(120);
    expect((await change(app, user.access)).status).toBe(200);
    const audit = await app.deps.db.select().from((await import('../../src/db/schema.ts')).auditLog);
    const results = audit.filter(({ type }) => type === 'password_changed').map((row) => [row.result, row.userId]);
    expect(results.toSorted()).toEqual([...Array(3).fill(['failure', user.id]), ['success', user.id]]);
  });

  it.each([
    ['too short', 'short', /8 to 256/],
    ['common', 'password1', /most common/],
    ['the same', password, /other than the current/],
    ['the name', 'Anne.Lee 2026', /your name/],
    ['the username', 'anna-belle!', /your name/],
  ])('to %s says what to change', async (_, new_password, message) => {
    const app = await testApp();
    const { access } = await registerUser(app, { email: 'anne.lee@example.com', username: 'Anna-Belle' });
    const { status, body } = await change(app, access, { new_password });
    expect([status, body.code]).toEqual([422, 'validation_failed']);
    expect(body.errors).toEqual([{ path: 'new_password', message: expect.stringMatching(message) }]);
  });

  it('needs a token of a user who is there', async () => {
    const app = await testApp();
    expect((await change(app, 'none')).status).toBe(401);
    const { access } = await registerUser(app);
    await app.deps.db.execute("update users set status = 'disabled'");
    expect((await change(app, access)).body.code).toBe('invalid_token');
  });
});

describe('at the same time', () => {
  async function replicas(): Promise<[TestApp, TestApp]> {
    const clock = createClock();
    const variables = {
      LIMIT_PASSWORD_USER: '1000/60',
      LOCKOUT_ACCOUNT_ADDRESS: '1000/60/60/60',
      LIMIT_LOGIN_ADDRESS: '1000/60',
    };
    const options = { clock, kv: createMemoryKeyValue(clock), variables };
    const { databaseUrl, deps } = await testApp(options);
    // Statements that write an audit row stop there for a moment: what may meet halfway does.
    await deps.db.execute(`create function slow() returns trigger language plpgsql as
      'begin perform pg_sleep(0.02); return new; end'`);
    await deps.db.execute('create trigger slow before insert on audit_log for each row execute function slow()');
    // Changes wait a little between the check of the old password and the statement, so that several have checked it.
    const hasher = {
      ...deps.hasher,
      async hash(...typed: Parameters<typeof deps.hasher.hash>) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return await deps.hasher.hash(...typed);
      },
    };
    return [await testApp({ ...options, databaseUrl, hasher }), await testApp({ ...options, databaseUrl, hasher })];
  }

  /** Each has a user of its own, so that they need not wait for each other. */
  const rounds = (race: (round: number) => Promise<void>) =>
    Promise.all(Array.from({ length: 10 }, (_, round) => race(round)));

  it('two changes: exactly one wins', async () => {
    const [one, other] = await replicas();
    await rounds(async (round) => {
      const user = await registerUser(one);
      const second = round % 2 === 0 ? user : await login(one, user.email);
      const wanted = [`${next} ${round} a`, `${next} ${round} b`];
      const answers = await Promise.all([
        change(one, user.access, { new_password: wanted[0] }),
        change(other, second.access, { new_password: wanted[1] }),
      ]);
      const statuses = answers.map(({ status }) => status);
      // Where the loser came from a session that the winner ended, that may have been noticed first.
      expect([[200, 422], ...(second === user ? [] : [[200, 401]])]).toContainEqual(statuses.toSorted());
      const won = await Promise.all(wanted.map((typed) => signIn(one, user.email, typed)));
      expect(won).toEqual(statuses.map((status) => (status === 200 ? 200 : 401)));
      for (const { status, body } of answers) {
        if (status === 422) expect(body.code).toBe('wrong_password');
        if (status === 200) expect(await ask(other, body.access_token)).toBe(200);
      }
    });
  });

  it('a change and sign-ins with the old password: no session of the old one is usable', async () => {
    const [one, other] = await replicas();
    const warm = await registerUser(one);
    for (const app of [one, other]) await ask(app, warm.access);
    for (let round = 0; round < 10; round += 1) {
      const user = await registerUser(one);
      one.clock.advance(300);
      const mine = await login(one, user.email);
      const racing = Array.from({ length: 6 }, async (_, index) => {
        // One after the other, so that some meet the statement of the change itself.
        await new Promise((resolve) => setTimeout(resolve, index * 7));
        const { request } = index % 2 === 0 ? one : other;
        return await request('POST', '/auth/login', { body: { email: user.email, password } });
      });
      const [changed, ...answers] = await Promise.all([change(one, mine.access), ...racing]);
      expect(changed.status).toBe(200);
      expect(await ask(other, changed.body.access_token)).toBe(200);
      for (const { status, body } of answers) {
        expect([200, 401]).toContain(status);
        if (status !== 200) continue;
        for (const app of [one, other]) expect(await ask(app, body.access_token)).toBe(401);
        expect(await refresh(one, body.refresh_token)).toBe(401);
      }
    }
  });

  it('a change and refreshes of the session that asks: it goes on', async () => {
    const [one, other] = await replicas();
    await rounds(async () => {
      const user = await registerUser(one);
      const racing = Array.from({ length: 6 }, () => refresh(other, user.refresh));
      const [changed, ...statuses] = await Promise.all([change(one, user.access), ...racing]);
      expect([changed.status, ...new Set(statuses)]).toEqual([200, 200]);
      expect(await refresh(one, changed.body.refresh_token)).toBe(200);
    });
  });

  it('a change and the end of its own session: the password changes only where it was still alive', async () => {
    const [one, other] = await replicas();
    await rounds(async () => {
      const user = await registerUser(one);
      const [changed] = await Promise.all([
        change(one, user.access),
        other.request('POST', '/auth/logout', { body: { refresh_token: user.refresh } }),
      ]);
      expect([200, 401]).toContain(changed.status);
      const expected = changed.status === 200 ? [401, 200] : [200, 401];
      expect([await signIn(one, user.email, password), await signIn(one, user.email, next)]).toEqual(expected);
      expect(await ask(other, user.access)).toBe(401);
    });
  });
});
