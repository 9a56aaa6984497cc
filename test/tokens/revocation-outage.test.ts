import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { createClock, registerUser, testApp } from '../support/test-app.ts';
import { ask, login } from './sessions-under-test.ts';
import { overUnreliableStore, unreliable } from './unreliable-store.ts';

describe('a store that lost its marks', () => {
  it('proves nothing: the revoked stay refused, and the others go on', async () => {
    const before = await testApp();
    const user = await registerUser(before);
    const other = await login(before, user.email);
    await before.request('POST', '/auth/logout', { token: user.access });
    for (let restarts = 0; restarts < 3; restarts += 1) {
      const app = await testApp({ databaseUrl: before.databaseUrl, clock: before.clock });
      for (let seconds = 0; seconds < 200; seconds += 40) {
        for (let asked = 0; asked < 2; asked += 1) {
          expect(await ask(app, user.access)).toBe(401);
          expect(await ask(app, other.access)).toBe(200);
        }
        before.clock.advance(40);
      }
    }
  });

  it('is not believed about tokens of an isolate whose clock is ahead', async () => {
    const clock = createClock();
    const ahead = createClock(clock.now() + 30_000);
    const issuing = await testApp({ clock: ahead });
    const user = await registerUser(issuing);
    const other = await login(issuing, user.email);
    const revoking = await testApp({ databaseUrl: issuing.databaseUrl, clock });
    await revoking.request('POST', '/auth/logout', { token: user.access });
    clock.advance(10);
    ahead.advance(10);
    const fresh = createMemoryKeyValue(clock);
    const first = await testApp({ databaseUrl: issuing.databaseUrl, clock, kv: fresh });
    const second = await testApp({ databaseUrl: issuing.databaseUrl, clock: ahead, kv: fresh });
    expect(await ask(first, other.access)).toBe(200);
    for (const app of [first, second]) expect(await ask(app, user.access)).toBe(401);
  });

  it('gets the recent ones again from the scheduled work', async () => {
    const { app, clock, store, user } = await overUnreliableStore();
    const { access } = await login(app, user.email);
    store.drop((key) => key.startsWith('revoked:'));
    await app.request('POST', '/auth/logout', { token: access });
    store.drop(() => false);
    await app.app.runScheduled();
    const asked = () => app.statements.filter(({ sql }) => sql.includes('sessions')).length;
    const before = asked();
    for (let minutes = 0; minutes < 15; minutes += 1) {
      expect((await app.request('GET', '/auth/verify-token', { token: access })).status).toBe(401);
      clock.advance(60);
    }
    expect(asked()).toBe(before);
    store.restart();
    clock.advance(3600);
    await app.app.runScheduled();
    expect(await store.kv.run([{ type: 'get', keys: [`revoked:session:${decodeJwt(access)['sid']}`] }])).toEqual([
      [null],
    ]);
  });
});

describe('a store that fails', () => {
  it('leaves the word to Postgres, while it is away and after it has come back', async () => {
    const { app, clock, store, user } = await overUnreliableStore();
    const sessions = [
      await login(app, user.email),
      await login(app, user.email),
      await login(app, user.email),
    ] as const;
    const [before, during, open] = sessions;
    await app.request('POST', '/auth/logout', { token: before.access });
    store.fail('everything');
    for (let asked = 0; asked < 3; asked += 1) expect(await ask(app, before.access)).toBe(401);
    expect(await ask(app, during.access)).toBe(200);
    expect((await app.request('POST', '/auth/logout', { token: during.access })).status).toBe(200);
    expect(await ask(app, during.access)).toBe(401);
    expect(await ask(app, open.access)).toBe(200);
    expect(app.logLines.join()).toContain('"event":"revocation_not_marked"');
    expect(app.logLines.join()).not.toContain('"status":5');

    store.fail('nothing');
    for (let minutes = 0; minutes < 10; minutes += 1) {
      expect(await ask(app, before.access)).toBe(401);
      expect(await ask(app, during.access)).toBe(401);
      expect(await ask(app, open.access)).toBe(200);
      clock.advance(60);
      await app.app.runScheduled();
    }
  });

  it('is not believed when it is back by an isolate that saw it away, about what another one could not mark', async () => {
    const clock = createClock();
    const store = unreliable(clock);
    const one = await testApp({ clock, kv: store.kv });
    const two = await testApp({ databaseUrl: one.databaseUrl, clock, kv: store.kv });
    const user = await registerUser(one);
    await ask(one, user.access);
    clock.advance(120);
    const [ended, open] = [await login(one, user.email), await login(one, user.email)];
    store.fail('everything');
    expect(await ask(two, open.access)).toBe(200);
    await one.request('POST', '/auth/logout', { token: ended.access });
    store.fail('nothing');
    for (let seconds = 0; seconds < 300; seconds += 30) {
      if (seconds % 60 === 30) await one.app.runScheduled();
      for (const app of [one, two]) expect(await ask(app, ended.access)).toBe(401);
      for (const app of [one, two]) expect(await ask(app, open.access)).toBe(200);
      clock.advance(30);
    }
  });

  it('to write and still reads is not believed by the isolate that could not write', async () => {
    const { app, clock, store, user } = await overUnreliableStore();
    const { access } = await login(app, user.email);
    store.fail('writes');
    expect((await app.request('POST', '/auth/logout', { token: access })).status).toBe(200);
    for (let minutes = 0; minutes < 5; minutes += 1) {
      expect(await ask(app, access)).toBe(401);
      clock.advance(60);
      await app.app.runScheduled();
    }
  });

  it('during a logout everywhere leaves no session behind', async () => {
    const clock = createClock();
    const store = unreliable(clock);
    const app = await testApp({ clock, kv: store.kv });
    const user = await registerUser(app);
    const other = await login(app, user.email);
    store.fail('everything');
    expect((await app.request('POST', '/auth/logout-all', { token: user.access })).status).toBe(200);
    for (const { access } of [user, other]) expect(await ask(app, access)).toBe(401);
    store.fail('nothing');
    for (const { access } of [user, other]) expect(await ask(app, access)).toBe(401);
    clock.advance(1);
    expect(await ask(app, (await login(app, user.email)).access)).toBe(200);
  });
});
