import { describe, expect, it } from 'vitest';
import { defineKeyValue, KeyValueUnavailable } from '../../src/kv.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { createClock, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { ask, login } from './sessions-under-test.ts';
import { overUnreliableStore } from './unreliable-store.ts';

const rowReads = ({ statements }: TestApp) => statements.filter(({ sql }) => sql.includes('true as alive')).length;
const verify = async ({ request }: TestApp, token: string) =>
  (await request('GET', '/auth/verify-token', { token })).status;

/** Two replicas of one service, the first of which cannot reach the store while `isCut`. */
async function partitioned() {
  const clock = createClock();
  const memory = createMemoryKeyValue(clock);
  const side = { isCut: false };
  const cutKv = defineKeyValue({
    kind: 'redis',
    async run(operations) {
      if (side.isCut) throw new KeyValueUnavailable('unreachable');
      return await memory.run(operations);
    },
    close: async () => {},
  });
  const cut = await testApp({ clock, kv: cutKv });
  const other = await testApp({ clock, databaseUrl: cut.databaseUrl, kv: { ...memory, kind: 'redis' } });
  const user = await registerUser(cut);
  for (const app of [cut, other]) await ask(app, user.access);
  clock.advance(121);
  const [ended, open] = [await login(cut, user.email), await login(cut, user.email)];
  side.isCut = true;
  return { clock, cut, other, ended, open, side };
}

describe('a replica that cannot reach the store', () => {
  it('leaves its marks to one that can, within the same minute, though it came first', async () => {
    const { clock, cut, other, ended, open } = await partitioned();
    expect((await cut.request('POST', '/auth/logout', { token: ended.access })).status).toBe(200);
    expect(await verify(cut, ended.access)).toBe(401);
    await cut.app.runScheduled({ alone: true });
    expect(cut.logLines.join()).toMatch(/"event":"scheduled_failed","step":"repeat_revocations"/);
    clock.advance(5);
    await other.app.runScheduled({ alone: true });
    const before = rowReads(other);
    expect([await verify(other, ended.access), await verify(other, open.access)]).toEqual([401, 200]);
    expect(rowReads(other)).toBe(before);
    for (let minutes = 0; minutes < 10; minutes += 1) {
      for (const app of [cut, other]) {
        await app.app.runScheduled({ alone: true });
        expect([await verify(app, ended.access), await verify(app, open.access)]).toEqual([401, 200]);
      }
      clock.advance(60);
    }
  });

  it('refuses at once what the other side ended', async () => {
    const { cut, other, ended, open } = await partitioned();
    await other.request('POST', '/auth/logout', { token: ended.access });
    for (const app of [cut, other]) {
      expect([await verify(app, ended.access), await verify(app, open.access)]).toEqual([401, 200]);
    }
  });

  it('writes its marks with the first request after it can again', async () => {
    const { cut, other, ended, open, side } = await partitioned();
    await cut.request('POST', '/auth/logout', { token: ended.access });
    side.isCut = false;
    expect(await verify(cut, open.access)).toBe(200);
    expect(await verify(other, ended.access)).toBe(401);
  });
});

describe('one slow answer of the store', () => {
  it('costs the reading of rows until the next answer, and not longer', async () => {
    const { app, store, user } = await overUnreliableStore();
    const { access } = await login(app, user.email);
    const readsOf = async () => {
      const before = rowReads(app);
      expect(await verify(app, access)).toBe(200);
      return rowReads(app) - before;
    };
    expect(await readsOf()).toBe(0);
    store.fail('everything');
    expect([await readsOf(), await readsOf()]).toEqual([1, 1]);
    store.fail('nothing');
    // The first to be answered writes all marks anew, and goes by the row itself.
    expect([await readsOf(), await readsOf()]).toEqual([1, 0]);
    store.fail('writes');
    expect(await readsOf()).toBe(0);
  });

  it('has the marks written anew by one request at a time', async () => {
    const { app, store, user } = await overUnreliableStore();
    const { access } = await login(app, user.email);
    store.fail('everything');
    await verify(app, access);
    store.fail('nothing');
    const before = app.statements.length;
    expect(await Promise.all(Array.from({ length: 10 }, () => verify(app, access)))).toEqual(Array(10).fill(200));
    const repeats = app.statements.slice(before).filter(({ sql }) => sql.includes('roles_changed_at is not null'));
    expect(repeats.length).toBe(1);
  });

  it('is mended in small parts and behind the answers, which go by rows meanwhile', async () => {
    const { app, clock, store, user } = await overUnreliableStore();
    const { access } = await login(app, user.email);
    const at = new Date(clock.now()).toISOString();
    await app.deps.db.execute(`insert into sessions
      (id, user_id, client_id, scope, epoch, rotated_at, authenticated_at, created_at, expires_at, ended_at, ended_reason)
      select gen_random_uuid(), user_id, client_id, scope, epoch, rotated_at, authenticated_at, created_at, expires_at,
        '${at}', 'logout' from sessions, generate_series(1, 600) as n where id = (select max(id::text)::uuid from sessions)`);
    store.fail('everything');
    await verify(app, access);
    store.fail('nothing');
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    store.before('revocations-since', () => {
      begun.resolve();
      return held.promise;
    });
    const during: number[] = [];
    const answers = Promise.all([
      verify(app, access),
      begun.promise.then(async () => {
        const before = rowReads(app);
        during.push(await verify(app, access), rowReads(app) - before);
        held.resolve();
      }),
    ]);
    expect((await answers)[0]).toBe(200);
    expect(during).toEqual([200, 1]);
    const before = rowReads(app);
    expect([await verify(app, access), rowReads(app) - before]).toEqual([200, 0]);
    expect(store.written.filter((key) => key.startsWith('revoked:session:'))).toHaveLength(600);
    expect(store.maxAtOnce()).toBeLessThanOrEqual(101);
  });

  it('is not believed while the marks cannot be written', async () => {
    const { app, store, user } = await overUnreliableStore();
    const { access } = await login(app, user.email);
    store.fail('everything');
    await verify(app, access);
    store.fail('writes');
    for (let asked = 0; asked < 3; asked += 1) {
      const before = rowReads(app);
      await verify(app, access);
      expect(rowReads(app)).toBe(before + 1);
    }
    expect(app.logLines.join()).toContain('"event":"revocations_not_repeated"');
  });
});
