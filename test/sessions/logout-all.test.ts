import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { createClock, hasSharedKeyValue, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { ask, login } from '../tokens/sessions-under-test.ts';

const variables = { LIMIT_WRITE_USER: '1000/60' };
const logoutOthers = ({ request }: TestApp, token: string) =>
  request('POST', '/auth/logout-all', { token, body: { except_current: true } });
const refresh = ({ request }: TestApp, token: string) =>
  request('POST', '/auth/refresh', { body: { refresh_token: token } });

describe.each(['memory', 'shared'] as const)('signing out everywhere else, with the key-value store %s', (kv) => {
  it.skipIf(kv === 'shared' && !hasSharedKeyValue())('spares the session that asks, however old it is', async () => {
    const app = await testApp({ kv, variables });
    const user = await registerUser(app);
    await ask(app, user.access);
    const before = [await login(app, user.email), await login(app, user.email)];
    app.clock.advance(300);
    const late = await login(app, user.email);
    const { status, body } = await logoutOthers(app, user.access);
    expect([status, body]).toEqual([200, { message: 'Signed out everywhere else', sessions_ended: 3 }]);
    for (const each of [...before, late]) {
      expect(await ask(app, each.access)).toBe(401);
      expect((await refresh(app, each.refresh)).status).toBe(401);
    }
    expect(await ask(app, user.access)).toBe(200);
    const next = await refresh(app, user.refresh);
    expect(next.status).toBe(200);
    expect(await ask(app, next.body.access_token)).toBe(200);
    expect((await logoutOthers(app, user.access)).body.sessions_ended).toBe(0);
    app.clock.advance(1);
    const after = await login(app, user.email);
    for (const token of [user.access, after.access]) expect(await ask(app, token)).toBe(200);
  });

  it.skipIf(kv === 'shared' && !hasSharedKeyValue())('spares it only until something else ends it', async () => {
    const app = await testApp({ kv, variables });
    const user = await registerUser(app);
    await ask(app, user.access);
    app.clock.advance(300);
    const other = await login(app, user.email);
    await logoutOthers(app, user.access);
    const third = await login(app, user.email);
    await logoutOthers(app, third.access);
    for (const token of [user.access, other.access]) expect(await ask(app, token)).toBe(401);
    expect(await ask(app, third.access)).toBe(200);
    await app.request('POST', '/auth/logout-all', { token: third.access, body: {} });
    expect(await ask(app, third.access)).toBe(401);
  });
});

describe('signing out everywhere else', () => {
  it('brings no session back to life that an older epoch has ended', async () => {
    const app = await testApp({ variables });
    const user = await registerUser(app);
    const other = await login(app, user.email);
    // Born dead: it started at the moment when all ended, and no mark knows of it.
    await app.deps.db.execute(`update users set session_epoch = 1`);
    await app.deps.db.execute(`update sessions set epoch = 1 where id = '${decodeJwt(other.access)['sid']}'`);
    await app.deps.kv.run([{ type: 'set', key: 'revocations-since', value: '0' }]);
    expect((await logoutOthers(app, user.access)).status).toBe(200);
    expect((await refresh(app, user.refresh)).status).toBe(401);
    for (const { access } of [user, other]) expect(await ask(app, access)).toBe(401);
  });

  it('does not disturb a refresh of that session that runs at the same time', async () => {
    const clock = createClock();
    const kv = createMemoryKeyValue(clock);
    const app = await testApp({ clock, kv, variables });
    const replica = await testApp({ clock, kv, variables, databaseUrl: app.databaseUrl });
    const { email } = await registerUser(app);
    let { access, refresh: shown } = await login(app, email);
    for (let round = 0; round < 10; round += 1) {
      const others = [logoutOthers(app, access), refresh(replica, shown), logoutOthers(app, access)];
      const answers = await Promise.all([...others, refresh(replica, shown)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      access = answers[1]?.body.access_token;
      shown = answers[1]?.body.refresh_token;
    }
    expect(await ask(app, access)).toBe(200);
  });

  it('leaves none or the later one alive, where two sessions ask for it at once', async () => {
    const app = await testApp({ variables });
    const { email } = await registerUser(app);
    for (let round = 0; round < 5; round += 1) {
      const both = [await login(app, email), await login(app, email)];
      app.clock.advance(1);
      await Promise.all(both.map(({ access }) => logoutOthers(app, access)));
      const alive = await Promise.all(
        both.map(async ({ access, refresh: shown }) => {
          const status = await ask(app, access);
          expect((await refresh(app, shown)).status).toBe(status);
          return status === 200;
        }),
      );
      expect(alive.filter(Boolean).length).toBeLessThanOrEqual(1);
    }
  });

  it('takes true and false, and an empty body for false', async () => {
    const app = await testApp({ variables });
    const { email } = await registerUser(app);
    for (const body of [undefined, {}, { except_current: false }]) {
      const { access } = await login(app, email);
      expect((await app.request('POST', '/auth/logout-all', { token: access, body })).status).toBe(200);
      expect(await ask(app, access)).toBe(401);
      app.clock.advance(1);
    }
    const { body: signed } = await app.request('POST', '/auth/login', { body: { email, password } });
    for (const value of ['true', 1, null]) {
      const sent = { token: signed.access_token, body: { except_current: value } };
      expect((await app.request('POST', '/auth/logout-all', sent)).status).toBe(422);
    }
  });
});
