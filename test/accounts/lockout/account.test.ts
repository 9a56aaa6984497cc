import { describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { runtime } from '#test-runtime';
import { createMemoryKeyValue } from '../../../src/platform/memory.ts';
import { type Answer, createClock, password, type TestApp } from '../../support/test-app.ts';
import { addressOf, knownDevice, login, right, setUp, statuses, wrong } from './guesses.ts';

/** All that a client sees, but for the name of the request. */
const seen = ({ status, headers, body: { request_id: _, ...body } }: Answer) => ({
  status,
  body,
  headers: [...headers].filter(([name]) => name !== 'x-request-id'),
});

describe('an account that does not exist', () => {
  it('answers as one that does: every status, header and body, up to both locks and back', async () => {
    const { app, hasher, user } = await setUp({ variables: { LOCKOUT_ACCOUNT: '20/3600/3600/3600' } });
    const nobody = `nobody-${crypto.randomUUID()}@example.com`;
    const play = async (identifier: string, network: number) => {
      const answers = [];
      const before = [hasher.asked, app.statements.length, app.roundTrips()];
      for (let times = 0; times < 7; times += 1)
        answers.push(seen(await login(app, identifier, { address: addressOf(network) })));
      for (let index = 1; index <= 17; index += 1) {
        answers.push(seen(await login(app, identifier, { address: addressOf(network + index) })));
      }
      const costs = [hasher.asked, app.roundTrips()].map((cost, index) => cost - (before[index * 2] ?? 0));
      return { answers, costs };
    };
    const [known, unknown] = [await play(user.email, 0), await play(nobody, 65_536)];
    expect(unknown).toEqual(known);
    const codes = known.answers.map(({ status }) => status);
    expect(codes).toEqual([...Array(5).fill(401), 429, 429, ...Array(15).fill(401), 429, 429]);
    expect(known.costs[0]).toBe(20);
  });
});

describe('an account as a whole', () => {
  const lockAccount = async (app: TestApp, identifier: string, failures = 100) => {
    for (let index = 0; index < failures; index += 1) {
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
    const { app } = await setUp({ variables: { LOCKOUT_ACCOUNT: '20/3600/3600/3600' } });
    const username = `u-${crypto.randomUUID()}`;
    const { body } = await app.request('POST', '/auth/register', { body: { username, password } });
    app.mails.length = 0;
    const before = await rowsOf(app, lockedRows);
    for (const identifier of ['nobody@example.com', username]) await lockAccount(app, identifier, 20);
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
  const [addresses, failures] = runtime.name === 'node' && inject('isThorough') ? [2000, 100] : [40, 20];
  it(`attacked from ${addresses} addresses lets its known device in, and other accounts`, async () => {
    const { app, hasher, user } = await setUp({ variables: { LOCKOUT_ACCOUNT: `${failures}/3600/3600/3600` } });
    const device = await knownDevice(app, user.email);
    hasher.asked = 0;
    for (let index = 0; index < addresses; index += 1) {
      await Promise.all(Array.from({ length: 5 }, () => login(app, user.email, { address: addressOf(index) })));
    }
    expect(hasher.asked).toBe(failures);
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
