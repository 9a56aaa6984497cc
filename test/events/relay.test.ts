import { describe, expect, inject, it } from 'vitest';
import { lockoutVariable } from '../../src/config-limits.ts';
import { eventRows } from '../../src/events/event-rows.ts';
import { createEventRelay } from '../../src/events/relay.ts';
import { type CloudEvent, EventUndelivered, type Sink } from '../../src/events/sink.ts';
import { lockoutNames } from '../../src/limits/policies.ts';
import { insertOutbox } from '../../src/outbox/store.ts';
import { collectingSink, waiting, webhooks } from '../support/events.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const relayOf = (app: TestApp, ...sinks: Sink[]) => createEventRelay({ ...app.deps, sinks });
const hour = 3600;
const isThorough = inject('isThorough');

/** Writes events of some users, one after the other; each tells its number as a role. */
async function enqueue(app: TestApp, users: readonly string[], each: number): Promise<void> {
  for (let n = 0; n < each; n += 1) {
    const rows = await Promise.all(
      users.map((user) => eventRows(app.deps, 'RoleChanged', user, { roles: [String(n)] })),
    );
    await insertOutbox(app.deps.db, rows.flat());
  }
}
const people = (count: number) => Array.from({ length: count }, () => crypto.randomUUID());
/** The numbers that were taken, of each user. */
const numbersOf = (taken: readonly CloudEvent[]) =>
  Object.fromEntries(
    Object.entries(Object.groupBy(taken, ({ subject }) => subject)).map(([user, events = []]) => [
      user,
      events.map(({ data }) => Number(Array.isArray(data['roles']) ? data['roles'][0] : Number.NaN)),
    ]),
  );

describe('the relay of events', () => {
  it('delivers each event once and those of a user in order, however many relays run', async () => {
    const app = await testApp({ variables: webhooks('a', 'b') });
    const users = people(30);
    await enqueue(app, users, 4);
    app.clock.advance(31);
    const wait = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    const sinks = [collectingSink('a', wait), collectingSink('b', wait)];
    await Promise.all(Array.from({ length: 5 }, () => relayOf(app, ...sinks).sweep()));
    const inOrder = Object.fromEntries(users.map((user) => [user, [0, 1, 2, 3]]));
    for (const { taken } of sinks) expect(numbersOf(taken)).toEqual(inOrder);
    const ids = sinks.map(({ taken }) => new Set(taken.map(({ id }) => id)));
    expect(ids[0]?.size).toBe(120);
    expect(ids[1]).toEqual(ids[0]);
    expect(await waiting(app)).toEqual([]);
  });

  it('does not let a sink that is down, or a user whose event is refused, hold up others', async () => {
    const [bad, good] = people(2);
    const refusing = collectingSink('picky', ({ subject }) => {
      if (subject === bad) throw new Error('refused');
    });
    const down = collectingSink('down');
    down.isDown = true;
    const app = await testApp({ variables: webhooks('picky', 'down') });
    await enqueue(app, [bad ?? '', good ?? ''], 3);
    app.clock.advance(31);
    await relayOf(app, refusing, down).sweep();
    expect(numbersOf(refusing.taken)).toEqual({ [good ?? '']: [0, 1, 2] });
    expect(await waiting(app)).toHaveLength(3 + 6);
    // Nothing that comes after one that was refused was even tried.
    expect(refusing.asked()).toBe(4);
    expect(down.asked()).toBe(2);
  });

  it('is woken by a sink that is back, and delivers everything in order', async () => {
    const app = await testApp({ variables: webhooks('a') });
    const sink = collectingSink('a');
    sink.isDown = true;
    const users = people(40);
    await enqueue(app, users, 2);
    const relay = relayOf(app, sink);
    // A few are tried at a time; after some tries their pauses are hours long.
    for (let tries = 0; tries < 10; tries += 1) {
      app.clock.advance(5 * hour);
      await relay.sweep();
    }
    sink.isDown = false;
    app.clock.advance(40);
    await relay.sweep();
    // What is due within two leases anyway is not woken.
    app.clock.advance(121);
    await relay.sweep();
    expect(numbersOf(sink.taken)).toEqual(Object.fromEntries(users.map((user) => [user, [0, 1]])));
  });

  it('leaves an event that is always refused its pauses, while others fail once and are then taken', async () => {
    const app = await testApp({ variables: webhooks('a') });
    const [poison = ''] = people(1);
    const tried = new Set<string>();
    let refused = 0;
    const sink = collectingSink('a', ({ id, subject }) => {
      if (subject === poison) refused += 1;
      if (subject === poison || !tried.has(id)) {
        tried.add(id);
        throw new EventUndelivered('500');
      }
    });
    const relay = relayOf(app, sink);
    await enqueue(app, [poison], 1);
    // Four hours and one: pauses double, up to half of each left to chance.
    const [minutes, min, max] = isThorough ? [240, 9, 12] : [60, 7, 10];
    for (let minute = 0; minute < minutes; minute += 1) {
      await enqueue(app, people(2), 1);
      app.clock.advance(60);
      await relay.sweep();
    }
    expect(refused).toBeGreaterThanOrEqual(min);
    expect(refused).toBeLessThanOrEqual(max);
    expect((await waiting(app)).filter(({ subject }) => subject === poison)).toMatchObject([{ dead: false }]);
    expect(sink.taken.length).toBeGreaterThan(2 * minutes - 10);
  });

  it('wakes after an outage what waits for the sink, and nothing that was refused before it', async () => {
    const app = await testApp({ variables: webhooks('a') });
    const [poison = '', ...users] = people(3);
    const sink = collectingSink('a', ({ subject }) => {
      if (subject === poison) throw new EventUndelivered('500');
    });
    const relay = relayOf(app, sink);
    await enqueue(app, [poison], 1);
    for (let hours = 0; hours < 5; hours += 1) {
      app.clock.advance(hour);
      await enqueue(app, people(1), 1);
      app.clock.advance(31);
      await relay.sweep();
    }
    sink.isDown = true;
    await enqueue(app, users, 1);
    for (let tries = 0; tries < 8; tries += 1) {
      app.clock.advance(hour);
      await relay.sweep();
    }
    const before = await waiting(app);
    sink.isDown = false;
    sink.taken.splice(0);
    // Whoever finds it back may be another process.
    const other = relayOf(app, sink);
    const at = app.clock.now();
    while (sink.taken.length < 2 && app.clock.now() < at + 6 * hour * 1000) {
      app.clock.advance(60);
      await other.sweep();
      if (sink.taken.length > 0) {
        app.clock.advance(121);
        await other.sweep();
        break;
      }
    }
    expect(sink.taken.map(({ subject }) => subject).toSorted()).toEqual(users.toSorted());
    const attempts = (rows: typeof before) => rows.find(({ subject }) => subject === poison)?.['attempts'];
    expect(Number(attempts(await waiting(app))) - Number(attempts(before))).toBeLessThanOrEqual(1);
  });

  it('lets 100 users whose events are refused hold up nobody whose event failed once', async () => {
    const app = await testApp({ variables: webhooks('a') });
    const poison = people(100);
    const refused = new Set(poison);
    const tried = new Set<string>();
    const sink = collectingSink('a', ({ id, subject }) => {
      if (refused.has(subject) || !tried.has(id)) {
        tried.add(id);
        throw new EventUndelivered('500');
      }
    });
    const relay = relayOf(app, sink);
    await enqueue(app, poison, 1);
    let written = 0;
    for (let minute = 0; minute < (isThorough ? 60 : 15); minute += 1) {
      app.clock.advance(60);
      await relay.sweep();
      // What was written two sweeps ago has failed once, and was taken since.
      expect(sink.taken.length).toBeGreaterThanOrEqual(Math.max(0, written - 3));
      await enqueue(app, people(3), 1);
      written += 3;
    }
  });

  it('has a bounded number on its way to a sink that hangs, and leaves the rest untried', async () => {
    const app = await testApp({ variables: webhooks('hangs', 'fine') });
    const hang: (() => void)[] = [];
    const hanging = collectingSink('hangs', () => new Promise<void>((resolve) => hang.push(resolve)));
    const fine = collectingSink('fine');
    const relay = relayOf(app, hanging, fine);
    const deliveries: Promise<void>[] = [];
    const users = people(isThorough ? 300 : 80);
    for (const user of users) {
      const rows = await eventRows(app.deps, 'RoleChanged', user, { roles: ['0'] });
      await insertOutbox(app.deps.db, rows);
      deliveries.push(relay.deliver(rows));
    }
    await expect.poll(() => fine.taken.length).toBe(users.length);
    await expect.poll(() => hang.length).toBe(50);
    const left = (await waiting(app)).filter(({ attempts }) => attempts === 0);
    expect(left).toHaveLength(users.length - 50);
    for (const resolve of hang) resolve();
    await Promise.all(deliveries);
    expect(hanging.taken).toHaveLength(50);
  });

  it('leaves new events to the sweeps for a while where a sink refused five in a row', async () => {
    const app = await testApp({ variables: webhooks('down', 'fine') });
    const [down, fine] = [collectingSink('down'), collectingSink('fine')];
    down.isDown = true;
    const relay = relayOf(app, down, fine);
    const write = async () => {
      const rows = await eventRows(app.deps, 'RoleChanged', people(1)[0], { roles: ['0'] });
      await insertOutbox(app.deps.db, rows);
      await relay.deliver(rows);
    };
    for (let times = 0; times < 8; times += 1) await write();
    expect([down.asked(), fine.taken.length]).toEqual([5, 8]);
    down.isDown = false;
    app.clock.advance(30);
    await write();
    // The one that is taken wakes those that waited for the sink.
    expect(down.taken).toHaveLength(9);
  });

  it('delivers again what a relay that ended had claimed, under the same id', async () => {
    const app = await testApp({ variables: webhooks('a') });
    await enqueue(app, people(1), 2);
    app.clock.advance(31);
    const ids: string[] = [];
    const hanging = collectingSink('a', ({ id }) => {
      ids.push(id);
      return new Promise(() => undefined);
    });
    void relayOf(app, hanging).sweep();
    await expect.poll(() => ids.length).toBe(1);
    const sink = collectingSink('a');
    app.clock.advance(59);
    await relayOf(app, sink).sweep();
    expect(sink.taken).toEqual([]);
    app.clock.advance(2);
    await relayOf(app, sink).sweep();
    expect(sink.taken.map(({ id }) => id)).toEqual([ids[0], expect.any(String)]);
  });

  it('gives up after 20 tries, keeps the event, and goes on with what comes after it', async () => {
    const app = await testApp({ variables: webhooks('a') });
    const [user = ''] = people(1);
    await enqueue(app, [user], 2);
    let refused = 0;
    const sink = collectingSink('a', ({ data }) => {
      if (!String(data['roles']).startsWith('0')) return;
      refused += 1;
      throw new Error('refused');
    });
    const relay = relayOf(app, sink);
    app.clock.advance(31);
    for (let tries = 0; tries < 21; tries += 1) {
      await relay.sweep();
      app.clock.advance(Math.min(30 * 2 ** tries, 6 * hour) + 1);
    }
    expect(refused).toBe(20);
    expect(await waiting(app)).toMatchObject([{ dead: true, attempts: 20 }]);
    expect(numbersOf(sink.taken)).toEqual({ [user]: [1] });
  });

  it('gives up after three days, also what is for a sink that is configured no more', async () => {
    const app = await testApp({ variables: webhooks('a', 'gone') });
    await enqueue(app, people(1), 2);
    app.clock.advance(73 * hour);
    const sink = collectingSink('a', () => {
      throw new Error('refused');
    });
    const relay = relayOf(app, sink);
    await relay.sweep();
    await relay.giveUp();
    expect((await waiting(app)).map(({ sink: name, dead }) => [name, dead])).toEqual([
      ['webhook:a', true],
      ['webhook:gone', true],
      ['webhook:a', true],
      ['webhook:gone', true],
    ]);
  });

  it('tells what another instance wrote before, when it comes to tell what came after', async () => {
    const first = collectingSink('all');
    const second = collectingSink('all');
    const app = await testApp({ variables: webhooks('all'), sinks: [first] });
    const other = await testApp({ ...app, variables: webhooks('all'), sinks: [second] });
    first.isDown = true;
    const user = await registerUser(app);
    await other.request('PUT', '/users/profile', { token: user.access, body: { name: 'Ann' } });
    // It is left to who comes for the first one.
    expect(second.taken).toEqual([]);
    first.isDown = false;
    app.clock.advance(60);
    await app.app.runScheduled();
    expect(first.taken.map(({ type }) => type)).toEqual(['UserCreated', 'SessionStarted', 'UserUpdated']);
  });

  it('ends with the last of many changes at once, as the database does', async () => {
    const sink = collectingSink('all', () => new Promise((resolve) => setTimeout(resolve, Math.random() * 3)));
    // Signing in many times at once looks like guessing.
    const patient = Object.fromEntries(lockoutNames.map((name) => [lockoutVariable(name), '1000/1/1/60']));
    const app = await testApp({ variables: { ...webhooks('all'), ...patient }, sinks: [sink] });
    const user = await registerUser(app);
    const login = async () =>
      (await app.request('POST', '/auth/login', { body: { identifier: user.email, password } })).body.access_token;
    const tokens = await Promise.all([
      ...Array.from({ length: 12 }, login),
      app.request('POST', '/auth/logout-all', { token: user.access }),
    ]);
    const signedIn = tokens.filter((token) => typeof token === 'string').length;
    // Of those at that moment none is good any more.
    app.clock.advance(1);
    const token = await login();
    const { status } = await app.request('DELETE', '/users/delete-account', { token, body: { password } });
    expect(status).toBe(200);
    for (let minutes = 0; minutes < 3; minutes += 1) {
      app.clock.advance(61);
      await app.app.runScheduled();
    }
    const types = sink.taken.map(({ type }) => type);
    expect([types[0], types.at(-1)]).toEqual(['UserCreated', 'UserDeleted']);
    expect(types.filter((type) => type === 'SessionStarted')).toHaveLength(1 + signedIn + 1);
    expect(new Set(sink.taken.map(({ id }) => id)).size).toBe(types.length);
    expect(await waiting(app)).toEqual([]);
  });
});
