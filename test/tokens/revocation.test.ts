import { describe, expect, it } from 'vitest';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { letPass } from '../support/sessions.ts';
import { createClock, hasSharedKeyValue, registerUser, testApp } from '../support/test-app.ts';
import { ask, login } from './sessions-under-test.ts';
import { overUnreliableStore, unreliable } from './unreliable-store.ts';

const variables = { LIMIT_REGISTER_ADDRESS: '100000/60' };

describe.each(['memory', 'shared'] as const)('with the key-value store %s', (kv) => {
  const possible = it.skipIf(kv === 'shared' && !hasSharedKeyValue());

  possible.each(['access', 'refresh'] as const)(
    'a logout by %s token refuses the session’s tokens at once',
    async (by) => {
      const app = await testApp({ kv, variables });
      const user = await registerUser(app);
      const other = await login(app, user.email);
      const { body: refreshed } = await app.request('POST', '/auth/refresh', { body: { refresh_token: user.refresh } });
      expect(await ask(app, user.access)).toBe(200);
      const shown = by === 'access' ? { token: user.access } : { body: { refresh_token: user.refresh } };
      expect((await app.request('POST', '/auth/logout', shown)).status).toBe(200);
      for (const token of [user.access, refreshed.access_token]) expect(await ask(app, token)).toBe(401);
      expect(await ask(app, other.access)).toBe(200);
    },
  );

  possible('a logout everywhere refuses all that started before it, and nothing that starts after', async () => {
    const app = await testApp({ kv, variables });
    const user = await registerUser(app);
    const stranger = await registerUser(app);
    const before = [user, await login(app, user.email), await login(app, user.email)];
    app.clock.advance(1);
    const { body } = await app.request('POST', '/auth/logout-all', { token: user.access });
    expect(body.sessions_ended).toBe(3);
    app.clock.advance(0.001);
    const after = await login(app, user.email);
    for (const { access, refresh } of before) {
      expect(await ask(app, access)).toBe(401);
      expect((await app.request('POST', '/auth/refresh', { body: { refresh_token: refresh } })).status).toBe(401);
    }
    for (const { access } of [after, stranger]) expect(await ask(app, access)).toBe(200);
    expect((await app.request('POST', '/auth/logout-all', { token: user.access })).status).toBe(401);
    expect(await ask(app, after.access)).toBe(200);
  });

  possible('a refresh token shown too late refuses the access tokens too', async () => {
    const app = await testApp({ kv, variables });
    const user = await registerUser(app);
    const refresh = () => app.request('POST', '/auth/refresh', { body: { refresh_token: user.refresh } });
    const { body: stolen } = await refresh();
    await letPass(app, 31);
    expect((await refresh()).status).toBe(401);
    for (const token of [user.access, stolen.access_token]) expect(await ask(app, token)).toBe(401);
  });

  possible('parallel requests are refused from the moment the logout is answered', async () => {
    const app = await testApp({ kv, variables });
    const { access } = await registerUser(app);
    const verify = () => app.request('GET', '/auth/verify-token', { token: access });
    const during = Array.from({ length: 10 }, verify);
    await app.request('POST', '/auth/logout', { token: access });
    const after = await Promise.all(Array.from({ length: 10 }, verify));
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set([401]));
    for (const { status } of await Promise.all(during)) expect([200, 401]).toContain(status);
  });
});

describe('another isolate', () => {
  it.skipIf(!hasSharedKeyValue())('refuses by the shared store alone, without the database', async () => {
    const one = await testApp({ kv: 'shared', variables });
    const two = await testApp({ kv: 'shared', variables, databaseUrl: one.databaseUrl, clock: one.clock });
    const user = await registerUser(one);
    expect(await ask(two, user.access)).toBe(200);
    await one.request('POST', '/auth/logout', { token: user.access });
    const statements = two.statements.length;
    expect(await ask(two, user.access)).toBe(401);
    expect(two.statements.length).toBe(statements);
  });

  it('outside development does not take its own memory for the word of all', async () => {
    const production = { ...variables, ENVIRONMENT: 'production' };
    const one = await testApp({ variables: production });
    const two = await testApp({ variables: production, databaseUrl: one.databaseUrl, clock: one.clock });
    const user = await registerUser(one);
    for (const app of [one, two]) expect(await ask(app, user.access)).toBe(200);
    one.clock.advance(300);
    const [first, second] = [await login(one, user.email), await login(two, user.email)];
    for (const app of [one, two]) for (const { access } of [first, second]) expect(await ask(app, access)).toBe(200);
    await one.request('POST', '/auth/logout', { token: first.access });
    for (const app of [two, one]) expect(await ask(app, first.access)).toBe(401);
    await one.request('POST', '/auth/logout-all', { token: user.access });
    for (const app of [two, one]) expect(await ask(app, second.access)).toBe(401);
  });
});

describe('a good token', () => {
  it('costs no statement and one round trip once the store has kept marks for a while', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    await ask(app, user.access);
    app.clock.advance(300);
    const { access } = await login(app, user.email);
    const [statements, roundTrips] = [app.statements.length, app.roundTrips()];
    expect((await app.request('GET', '/auth/verify-token', { token: access })).status).toBe(200);
    expect([app.statements.length - statements, app.roundTrips() - roundTrips]).toEqual([0, 1]);
  });
});

describe('a logout everywhere', () => {
  it('marks the user and not each of many old sessions, and so does the scheduled work', async () => {
    const clock = createClock();
    const store = unreliable(clock);
    const app = await testApp({ clock, kv: store.kv });
    const user = await registerUser(app);
    await app.deps.db.execute(`insert into sessions
      (id, user_id, client_id, scope, epoch, rotated_at, authenticated_at, created_at, expires_at)
      select ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, user_id, client_id, scope, epoch,
        rotated_at - interval '1 hour', authenticated_at, created_at, expires_at
      from sessions, generate_series(1, 3000) as n`);
    clock.advance(120);
    const { body } = await app.request('POST', '/auth/logout-all', { token: user.access });
    // So many are counted at most; the epoch has ended the others too.
    expect(body.sessions_ended).toBe(1000);
    const statements = app.statements.length;
    expect(await ask(app, user.access)).toBe(401);
    expect(app.statements.length).toBe(statements);
    await app.app.runScheduled();
    expect(store.written.length).toBeLessThan(10);
  });
});

describe('clocks that differ', () => {
  it('refuse no session that started after a logout everywhere, on an isolate whose clock is behind', async () => {
    const clock = createClock();
    const behind = createClock(clock.now() - 30_000);
    const kv = createMemoryKeyValue(clock);
    const app = await testApp({ clock, kv });
    const lagging = await testApp({ databaseUrl: app.databaseUrl, clock: behind, kv });
    const user = await registerUser(app);
    await app.request('POST', '/auth/logout-all', { token: user.access });
    clock.advance(1);
    behind.advance(1);
    const { access } = await login(lagging, user.email);
    for (const each of [app, lagging]) expect(await ask(each, access)).toBe(200);
    for (const each of [app, lagging]) expect(await ask(each, user.access)).toBe(401);
  });

  it('let no session through that started on an isolate ahead and that the logout everywhere could not see', async () => {
    const { app, clock, store, user } = await overUnreliableStore();
    const ahead = await testApp({
      databaseUrl: app.databaseUrl,
      clock: createClock(clock.now() + 30_000),
      kv: store.kv,
    });
    const { access } = await login(ahead, user.email);
    store.drop((key) => key.startsWith('revoked:session:'));
    await app.request('POST', '/auth/logout-all', { token: (await login(app, user.email)).access });
    // A session that starts at this very moment is dead by its epoch alone.
    await app.deps.db.execute('update sessions set ended_at = null, ended_reason = null');
    for (const each of [app, ahead]) expect(await ask(each, access)).toBe(401);
  });
});
