import { beforeAll, describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { runtime } from '#test-runtime';
import { limitKeysOf } from '../../src/accounts/identifier.ts';
import { Problem } from '../../src/errors.ts';
import { clearLockout } from '../../src/limits/lockout.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import {
  type Answer,
  createClock,
  createDatabase,
  hasSharedKeyValue,
  password,
  registerUser,
  type TestApp,
  type TestAppOptions,
  testApp,
} from '../support/test-app.ts';

/** Counts what it is asked, and takes the one password. */
function countingHasher() {
  const hasher = {
    asked: 0,
    hash: async () => 'stored',
    verify: async (typed: string, stored: string | null) => {
      hasher.asked += 1;
      return { valid: stored !== null && typed === password, needsUpgrade: false };
    },
  };
  return hasher;
}

/** One for all: making a signing key takes longer than most of these tests. */
let databaseUrl: string;
beforeAll(async () => {
  databaseUrl = await createDatabase();
});

async function setUp(options: TestAppOptions = {}) {
  const hasher = countingHasher();
  const app = await testApp({ hasher, databaseUrl, ...options });
  return { app, hasher, user: await registerUser(app, { username: `u-${crypto.randomUUID()}` }) };
}

interface Sent {
  readonly typed?: string;
  readonly address?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
const wrong = 'wrong password';
const login = ({ request }: TestApp, identifier: string, sent: Sent = {}): Promise<Answer> => {
  const { typed = wrong, address = '198.51.100.1', headers = {} } = sent;
  return request('POST', '/auth/login', { body: { identifier, password: typed }, address, headers });
};
const right = (app: TestApp, identifier: string, sent: Sent = {}) =>
  login(app, identifier, { ...sent, typed: password });
const statuses = async (times: number, call: () => Promise<Answer>) => {
  const list = [];
  for (let time = 0; time < times; time += 1) list.push((await call()).status);
  return list;
};
const addressOf = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
const knownDevice = async (app: TestApp, identifier: string) => {
  const { headers } = await right(app, identifier, { address: '192.0.2.1' });
  return { 'X-Device-Token': headers.get('X-Device-Token') ?? '' };
};
/** All that a client sees, but for the name of the request. */
const seen = ({ status, headers, body: { request_id: _, ...body } }: Answer) => ({
  status,
  body,
  headers: [...headers].filter(([name]) => name !== 'x-request-id'),
});

describe('an account and an address', () => {
  it('are locked by five failures, for pauses that grow', async () => {
    const { app, user } = await setUp();
    expect(await statuses(6, () => login(app, user.email))).toEqual([401, 401, 401, 401, 401, 429]);
    const pauses = [];
    for (let round = 0; round < 8; round += 1) {
      const { status, headers, body } = await right(app, user.email);
      expect([status, body.code, body.detail]).toEqual([429, 'account_locked', expect.stringContaining('seconds')]);
      const pause = Number(headers.get('Retry-After'));
      pauses.push(pause);
      app.clock.advance(pause - 1);
      expect((await login(app, user.email)).status).toBe(429);
      app.clock.advance(1);
      expect((await login(app, user.email)).status).toBe(401);
    }
    expect(pauses).toEqual([60, 120, 240, 480, 960, 1920, 3600, 3600]);
    app.clock.advance(86_400);
    expect((await right(app, user.email)).status).toBe(200);
  });

  it('locked cost neither statement nor hash, and one round trip', async () => {
    const { app, hasher, user } = await setUp();
    await statuses(5, () => login(app, user.email));
    // The first are noted in the audit log, once the answer is out.
    await statuses(5, () => right(app, user.email));
    const before = [hasher.asked, app.statements.length, app.roundTrips()];
    expect(await statuses(3, () => right(app, user.email))).toEqual([429, 429, 429]);
    expect([hasher.asked, app.statements.length, app.roundTrips()]).toEqual([
      before[0],
      before[1],
      Number(before[2]) + 3,
    ]);
  });

  it('are locked by whatever spelling, and neither from elsewhere nor for somebody else', async () => {
    const { app, user } = await setUp();
    await login(app, user.email);
    await login(app, ` ${user.email.toUpperCase()} `);
    await app.request('POST', '/auth/login', { body: { email: user.email, password: wrong }, address: '198.51.100.1' });
    expect(await statuses(3, () => login(app, user.email))).toEqual([401, 401, 429]);
    expect((await right(app, user.email, { address: '203.0.113.1' })).status).toBe(200);
    expect((await login(app, 'somebody@example.com')).status).toBe(401);
  });

  it('forget the failures when the owner signs in', async () => {
    const { app, user } = await setUp();
    for (const round of [1, 2, 3]) {
      expect(await statuses(4, () => login(app, user.email)), `${round}`).toEqual([401, 401, 401, 401]);
      expect((await right(app, user.email)).status).toBe(200);
    }
    expect(await statuses(6, () => right(app, user.email))).toEqual(Array(6).fill(200));
  });

  it('let five of fifty guesses through that come at once', async () => {
    const { app, hasher, user } = await setUp();
    const answers = await Promise.all(Array.from({ length: 50 }, () => login(app, user.email)));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(45);
    expect(hasher.asked).toBe(5);
  });

  it.skipIf(!hasSharedKeyValue())('are one for all replicas that share a store, at once too', async () => {
    // Without the deadline of 300 ms, since a busy machine may take longer, and each replica would count by itself.
    const open = () => ({ kv: runtime.openKeyValue({ token: `test-${crypto.randomUUID()}` }) ?? 'shared' }) as const;
    const { app, hasher, user } = await setUp(open());
    const other = await testApp({ ...open(), databaseUrl, hasher });
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => login(index % 2 === 0 ? app : other, user.email)),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(hasher.asked).toBe(5);
    for (const replica of [app, other]) expect((await right(replica, user.email)).status).toBe(429);
    await clearLockout(other.deps, await limitKeysOf(other.deps, { emailKey: user.email, usernameKey: undefined }));
    for (const replica of [app, other]) expect((await right(replica, user.email)).status).toBe(200);
  });

  it('are no other for headers that a client can forge', async () => {
    const { app, user } = await setUp();
    let count = 0;
    const forged = () => {
      count += 1;
      const address = `203.0.113.${count}`;
      return login(app, user.email, {
        headers: {
          'X-Forwarded-For': address,
          'CF-Connecting-IP': address,
          'X-Real-IP': address,
          Forwarded: `for=${address}`,
        },
      });
    };
    expect(await statuses(6, forged)).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await right(app, user.email, { address: '203.0.113.1' })).status).toBe(200);
  });
});

describe('an account that does not exist', () => {
  it('answers as one that does: every status, header and body, up to both locks and back', async () => {
    const { app, hasher, user } = await setUp();
    const nobody = `nobody-${crypto.randomUUID()}@example.com`;
    const play = async (identifier: string, network: number) => {
      const answers = [];
      const before = [hasher.asked, app.statements.length, app.roundTrips()];
      for (let times = 0; times < 7; times += 1)
        answers.push(seen(await login(app, identifier, { address: addressOf(network) })));
      for (let index = 1; index <= 97; index += 1) {
        answers.push(seen(await login(app, identifier, { address: addressOf(network + index) })));
      }
      const costs = [hasher.asked, app.roundTrips()].map((cost, index) => cost - (before[index * 2] ?? 0));
      return { answers, costs };
    };
    const [known, unknown] = [await play(user.email, 0), await play(nobody, 65_536)];
    expect(unknown).toEqual(known);
    const codes = known.answers.map(({ status }) => status);
    expect(codes).toEqual([...Array(5).fill(401), 429, 429, ...Array(95).fill(401), 429, 429]);
    expect(known.costs[0]).toBe(100);
  });
});

describe('an account as a whole', () => {
  const lockAccount = async (app: TestApp, identifier: string) => {
    for (let index = 0; index < 100; index += 1) {
      expect((await login(app, identifier, { address: addressOf(index) })).status).toBe(401);
    }
  };
  const rowsOf = async ({ deps }: TestApp, statement: string) =>
    z.object({ rows: z.array(z.unknown()) }).parse(await deps.db.execute(statement)).rows;
  const lockedRows = "select user_id, address from audit_log where type = 'account_locked' order by id";

  it('is locked by 100 failures in an hour, from any address but for known devices, and tells its owner once', async () => {
    const { app, user } = await setUp();
    const device = await knownDevice(app, user.email);
    const before = await rowsOf(app, lockedRows);
    await lockAccount(app, user.email);
    const { status, headers } = await right(app, user.email, { address: '203.0.113.9' });
    expect([status, headers.get('Retry-After')]).toEqual([429, '3600']);
    expect((await right(app, user.email, { address: '203.0.113.9', headers: device })).status).toBe(200);
    await statuses(5, () => login(app, user.email, { address: '203.0.113.10' }));
    const told = app.mails.filter(({ subject }) => /failed sign-ins/.test(subject));
    expect(told).toMatchObject([{ to: user.email }]);
    expect(told[0]?.text).toContain('10.0.0.0/24');
    expect(await rowsOf(app, lockedRows)).toEqual([...before, { user_id: user.id, address: '10.0.0.0/24' }]);
    app.clock.advance(3600);
    expect((await right(app, user.email, { address: '203.0.113.9' })).status).toBe(200);
  });

  it('tells its owner too where who locked it has hung up', async () => {
    const { app, hasher, user } = await setUp({ variables: { LOCKOUT_ACCOUNT: '3/3600/3600/3600' } });
    const { verify } = hasher;
    const hangUp = async () => {
      const gone = new AbortController();
      hasher.verify = async () => {
        gone.abort();
        throw new Error('gone');
      };
      const body = { identifier: user.email, password: wrong };
      await app.request('POST', '/auth/login', { body, signal: gone.signal }).catch(() => undefined);
      hasher.verify = verify;
    };
    for (let count = 0; count < 3; count += 1) await hangUp();
    const told = () => app.mails.filter(({ subject }) => /failed sign-ins/.test(subject));
    await expect.poll(told).toMatchObject([{ to: user.email }]);
    expect((await right(app, user.email, { address: '203.0.113.9' })).status).toBe(429);
  });

  it('does not count whom nobody waited for', async () => {
    const gone = new AbortController();
    const memory = createMemoryKeyValue(createClock());
    let isLeaving = false;
    const kv: typeof memory = {
      ...memory,
      run: (operations) => {
        if (isLeaving && operations.some(({ type }) => type === 'attempt')) gone.abort();
        return memory.run(operations);
      },
    };
    const { app, hasher, user } = await setUp({ kv, variables: { LOCKOUT_ACCOUNT: '2/3600/3600/3600' } });
    await login(app, user.email);
    hasher.asked = 0;
    isLeaving = true;
    const body = { identifier: user.email, password: wrong };
    await app.request('POST', '/auth/login', { body, signal: gone.signal }).catch(() => undefined);
    isLeaving = false;
    expect(hasher.asked).toBe(0);
    expect((await right(app, user.email, { address: '203.0.113.9' })).status).toBe(200);
  });

  it('that does not exist, or has no address, is locked alike and tells nobody', async () => {
    const { app } = await setUp();
    const username = `u-${crypto.randomUUID()}`;
    const { body } = await app.request('POST', '/auth/register', { body: { username, password } });
    app.mails.length = 0;
    const before = await rowsOf(app, lockedRows);
    for (const identifier of ['nobody@example.com', username]) await lockAccount(app, identifier);
    expect((await right(app, username, { address: '203.0.113.9' })).status).toBe(429);
    expect(app.mails).toEqual([]);
    expect(await rowsOf(app, lockedRows)).toEqual([...before, { user_id: body.user.id, address: '10.0.0.0/24' }]);
    expect(await rowsOf(app, 'select type from outbox')).toEqual([]);
    expect(app.logLines.filter((line) => JSON.parse(line).level === 'error')).toEqual([]);
  });

  it('counts failures alone: sign-ins take their count back, and one address counts five', async () => {
    const { app, user } = await setUp({ variables: { LOCKOUT_ACCOUNT: '7/3600/3600/3600' } });
    expect(await statuses(20, () => right(app, user.email))).toEqual(Array(20).fill(200));
    await statuses(20, () => login(app, user.email));
    expect((await right(app, user.email, { address: '203.0.113.1' })).status).toBe(200);
    expect((await login(app, user.email, { address: '203.0.113.2' })).status).toBe(401);
    // The seventh, were it one.
    expect((await right(app, user.email, { address: '203.0.113.3' })).status).toBe(200);
    expect(app.mails.filter(({ subject }) => /failed sign-ins/.test(subject))).toEqual([]);
    expect((await login(app, user.email, { address: '203.0.113.4' })).status).toBe(401);
    expect((await right(app, user.email, { address: '203.0.113.5' })).status).toBe(429);
  });

  it('does not count what the limit of an address refuses', async () => {
    const { app, user } = await setUp({ variables: { LIMIT_LOGIN_ADDRESS: '2/60' } });
    const answers = await statuses(12, () => login(app, user.email));
    expect(answers).toEqual([401, 401, ...Array(10).fill(429)]);
    app.clock.advance(120);
    expect((await right(app, user.email)).status).toBe(200);
  });

  // Nothing here depends on the runtime, and workerd takes twice as long.
  const addresses = runtime.name === 'node' && inject('isThorough') ? 2000 : 200;
  it(`attacked from ${addresses} addresses lets its known device in, and other accounts`, async () => {
    const { app, hasher, user } = await setUp();
    const device = await knownDevice(app, user.email);
    hasher.asked = 0;
    for (let index = 0; index < addresses; index += 1) {
      await Promise.all(Array.from({ length: 5 }, () => login(app, user.email, { address: addressOf(index) })));
    }
    expect(hasher.asked).toBe(100);
    expect((await right(app, user.email, { address: '203.0.113.9' })).status).toBe(429);
    const name = (await app.request('GET', '/users/me', { token: user.access })).body.username;
    for (const identifier of [user.email, name]) {
      // Also from an address that the strangers used up.
      const sent = { address: addressOf(1), headers: device };
      expect((await right(app, identifier, sent)).status).toBe(200);
    }
    expect((await login(app, 'somebody@example.com', { address: '203.0.113.9' })).status).toBe(401);
  });
});

describe('a known device', () => {
  it('is locked by five failures of its own, which lock nobody else', async () => {
    const { app, user } = await setUp();
    const device = await knownDevice(app, user.email);
    const fromDevice = (typed: string) => login(app, user.email, { typed, headers: device, address: '192.0.2.1' });
    expect(await statuses(6, () => fromDevice(wrong))).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await right(app, user.email, { address: '192.0.2.1' })).status).toBe(200);
    app.clock.advance(60);
    expect((await fromDevice(password)).status).toBe(200);
  });

  it('is known by the header or the cookie, which every sign-in renews', async () => {
    const { app, user } = await setUp();
    const first = await right(app, user.email);
    const token = first.headers.get('X-Device-Token') ?? '';
    const { headers } = first;
    expect(headers.get('Set-Cookie')).toBe(
      `__Host-device=${token}; Max-Age=15552000; Path=/; Secure; HttpOnly; SameSite=Lax`,
    );
    await statuses(6, () => login(app, user.email));
    const cookie = { Cookie: `a=b; __Host-device=${token}` };
    const ways = [{ 'X-Device-Token': token }, cookie, { ...cookie, 'X-Device-Token': 'forged' }];
    app.clock.advance(1);
    for (const way of ways) {
      const answer = await right(app, user.email, { headers: way });
      expect(answer.status).toBe(200);
      const [id, expiry] = token.split('.');
      const renewed = answer.headers.get('X-Device-Token')?.split('.') ?? [];
      expect([renewed[0], renewed[1]]).toEqual([id, String(Number(expiry) + 1)]);
      await statuses(6, () => login(app, user.email));
    }
    expect((await right(app, user.email, { headers: { Cookie: `device=${token}` } })).status).toBe(429);
  });

  it('gets a cookie that works without TLS where the service has none', async () => {
    const { app, user } = await setUp({ variables: { ISSUER: 'http://localhost:8787' } });
    const { headers } = await right(app, user.email);
    const token = headers.get('X-Device-Token') ?? '';
    expect(headers.get('Set-Cookie')).toBe(`device=${token}; Max-Age=15552000; Path=/; HttpOnly; SameSite=Lax`);
    await statuses(6, () => login(app, user.email));
    expect((await right(app, user.email, { headers: { Cookie: `device=${token}` } })).status).toBe(200);
  });

  it('is none by a token that is forged, expired or of another account, and that is no error', async () => {
    const { app, user } = await setUp();
    const device = await knownDevice(app, user.email);
    const foreign = await knownDevice(app, (await registerUser(app)).email);
    await statuses(5, () => login(app, user.email));
    const forged = { 'X-Device-Token': device['X-Device-Token'].replace(/\.\d+\./, '.99999999999.') };
    for (const headers of [forged, foreign, { 'X-Device-Token': '' }, { Cookie: '__Host-device=%00%ff"; x' }]) {
      expect((await right(app, user.email, { headers })).status).toBe(429);
      expect((await right(app, user.email, { headers, address: '203.0.113.1' })).status).toBe(200);
    }
    expect((await right(app, user.email, { headers: device })).status).toBe(200);
    app.clock.advance(180 * 86_400);
    await statuses(5, () => login(app, user.email));
    expect((await right(app, user.email, { headers: device })).status).toBe(429);
  });

  it('does not share the limit of its address', async () => {
    const { app, user } = await setUp({ variables: { LIMIT_LOGIN_ADDRESS: '2/60', LIMIT_LOGIN_DEVICE: '4/60' } });
    const device = await knownDevice(app, user.email);
    await statuses(3, () => login(app, 'nobody'));
    expect(await statuses(5, () => right(app, user.email, { headers: device }))).toEqual([200, 200, 200, 200, 429]);
  });

  it('of which somebody made many does not buy one address any number of sign-ins', async () => {
    const { app, hasher, user } = await setUp({ variables: { LIMIT_LOGIN_KNOWN_ADDRESS: '6/60' } });
    const devices = [];
    for (let count = 0; count < 4; count += 1) devices.push(await knownDevice(app, user.email));
    hasher.asked = 0;
    for (const headers of devices) await statuses(3, () => right(app, user.email, { headers }));
    expect(hasher.asked).toBe(6);
    expect((await right(app, user.email, { headers: devices[3] ?? {}, address: '203.0.113.1' })).status).toBe(200);
    expect((await right(app, user.email)).status).toBe(200);
  });
});

describe('a lockout', () => {
  it('is lifted whole, in one round trip', async () => {
    const { app, user } = await setUp({ variables: { LOCKOUT_ACCOUNT: '12/3600/3600/3600' } });
    const device = await knownDevice(app, user.email);
    const { body } = await app.request('GET', '/users/me', { token: user.access });
    const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
    for (const address of addresses) await statuses(5, () => login(app, user.email, { address }));
    for (const address of addresses.slice(0, 2)) await statuses(5, () => login(app, body.username, { address }));
    await statuses(5, () => login(app, user.email, { headers: device }));
    const all = async () => [
      ...(await Promise.all(addresses.map((address) => right(app, user.email, { address })))),
      await right(app, body.username, { address: '10.0.0.1' }),
      await right(app, user.email, { headers: device }),
      await right(app, user.email, { address: '203.0.113.1' }),
    ];
    expect((await all()).map(({ status }) => status)).toEqual(Array(6).fill(429));
    const before = app.roundTrips();
    await clearLockout(app.deps, await limitKeysOf(app.deps, { emailKey: user.email, usernameKey: body.username }));
    expect(app.roundTrips() - before).toBe(1);
    expect((await all()).map(({ status }) => status)).toEqual(Array(6).fill(200));
    // And from then on it counts again.
    expect(await statuses(6, () => login(app, user.email))).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('is not hastened by an outage of the database or by too much to do', async () => {
    const { app, hasher, user } = await setUp();
    const { verify } = hasher;
    for (const name of ['unavailable', 'overloaded'] as const) {
      hasher.verify = async () => {
        throw new Problem(name);
      };
      expect(await statuses(10, () => right(app, user.email))).toEqual(Array(10).fill(503));
    }
    hasher.verify = verify;
    expect((await right(app, user.email)).status).toBe(200);
  });

  it('that is over does not begin anew by what is no failure', async () => {
    const { app, hasher, user } = await setUp();
    const { verify } = hasher;
    await statuses(5, () => login(app, user.email));
    app.clock.advance(60);
    hasher.verify = async () => {
      throw new Problem('unavailable');
    };
    expect(await statuses(3, () => right(app, user.email))).toEqual([503, 503, 503]);
    hasher.verify = verify;
    expect((await right(app, user.email)).status).toBe(200);
  });

  it('is kept in the memory of the process while the store is away, which no sign-in waits for', async () => {
    const clock = createClock();
    const memory = createMemoryKeyValue(clock);
    let isAway = false;
    const never = Promise.withResolvers<never>();
    let isForgetful = false;
    const kv: typeof memory = {
      ...memory,
      kind: 'redis',
      run: (operations) => {
        if (isAway) return Promise.reject(new Error('away'));
        if (isForgetful && operations.some(({ type }) => type === 'forgive')) return never.promise;
        return memory.run(operations);
      },
    };
    const { app, user } = await setUp({ clock, kv });
    await statuses(3, () => login(app, user.email));
    isAway = true;
    // The process knows of three, and alone it lets through half as many.
    expect(await statuses(3, () => login(app, user.email))).toEqual([401, 429, 429]);
    const elsewhere = { address: '203.0.113.1' };
    expect(await statuses(6, () => right(app, user.email, elsewhere))).toEqual(Array(6).fill(200));
    await clearLockout(app.deps, await limitKeysOf(app.deps, { emailKey: user.email, usernameKey: undefined }));
    expect((await right(app, user.email)).status).toBe(200);
    isAway = false;
    isForgetful = true;
    const sent = new Request('https://auth.test/auth/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ identifier: user.email, password }),
    });
    const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
    expect((await app.app.fetch(sent, { clientAddress: '203.0.113.1' }, context)).status).toBe(200);
  });
});

describe('failures of the whole service', () => {
  it('raise an alarm once a window, whatever accounts and addresses they are for', async () => {
    const { app, user } = await setUp({ variables: { LIMIT_LOGIN_FAILURES: '5/60' } });
    const alarms = () => app.logLines.filter((line) => JSON.parse(line).event === 'login_failures_alarm');
    const fail = (index: number) => login(app, `nobody-${index}`, { address: addressOf(index) });
    for (let index = 0; index < 5; index += 1) await fail(index);
    await statuses(5, () => right(app, user.email));
    expect(alarms()).toEqual([]);
    for (let index = 5; index < 15; index += 1) await fail(index);
    expect(alarms()).toHaveLength(1);
    expect(JSON.parse(alarms()[0] ?? '')).toMatchObject({ level: 'error', limit: 5, window_s: 60 });
    app.clock.advance(120);
    for (let index = 0; index < 8; index += 1) await fail(index);
    expect(alarms()).toHaveLength(2);
  });
});
