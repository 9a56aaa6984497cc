import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { replay } from '../../src/admin/events.ts';
import { uuidv7 } from '../../src/crypto/random.ts';
import { query } from '../../src/db/database.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { collectingSink, webhooks } from '../support/events.ts';
import { letPass } from '../support/sessions.ts';
import {
  createClock,
  password,
  registerUser,
  type TestApp,
  type TestAppOptions,
  testApp,
} from '../support/test-app.ts';
import { ask, login } from '../tokens/sessions-under-test.ts';

const day = 86_400;
const count = async ({ deps }: TestApp, from: string): Promise<number | undefined> => {
  const counted = z.object({ count: z.int() });
  const [row] = await query(deps.db, counted, sql.raw(`select count(*)::int as count from ${from}`));
  return row?.count;
};
const doneBy = ({ logLines }: TestApp, step: string): number[] =>
  logLines
    .map((line) => JSON.parse(line))
    .filter((line) => line.event === 'scheduled' && line.step === step)
    .map(({ done }) => done);
const at = (milliseconds: number) => `'${new Date(milliseconds).toISOString()}'`;
const refresh = async ({ request }: TestApp, refresh_token: string) =>
  (await request('POST', '/auth/refresh', { body: { refresh_token } })).status;

/** Moves the clock just before the end of a time, where nothing happens, and then to it. */
async function expectDeletedAfter(app: TestApp, seconds: number, from: string, step: string): Promise<void> {
  const before = (await count(app, from)) ?? 0;
  app.clock.advance(seconds);
  await app.app.runScheduled();
  expect([await count(app, from), doneBy(app, step).at(-1)]).toEqual([before, 0]);
  app.clock.advance(0.001);
  await app.app.runScheduled();
  expect([await count(app, from), doneBy(app, step).at(-1)]).toEqual([before - 1, 1]);
}

describe('a session', () => {
  const variables = { SESSION_RETENTION: String(2 * day), SESSION_TTL: String(5 * day), SESSION_IDLE_TTL: String(day) };

  it('is deleted when it ended long enough ago, and its tokens stay refused', async () => {
    const app = await testApp({ variables });
    const user = await registerUser(app);
    const other = await login(app, user.email);
    await app.request('POST', '/auth/logout', { token: user.access });
    await expectDeletedAfter(app, 2 * day, 'sessions', 'delete_sessions');
    expect(await refresh(app, user.refresh)).toBe(401);
    expect(await ask(app, user.access)).toBe(401);
    expect(await count(app, 'sessions where ended_at is null')).toBe(1);
    // The other one lay idle meanwhile, and goes when its time has run out too.
    await expectDeletedAfter(app, 5 * day - 0.001, 'sessions', 'delete_sessions');
    expect(await refresh(app, other.refresh)).toBe(401);
  });

  it('that is in use is left alone, also where the user has others that are deleted', async () => {
    const app = await testApp({ variables });
    const user = await registerUser(app);
    await app.request('POST', '/auth/logout', { token: user.access });
    app.clock.advance(2 * day);
    const used = await login(app, user.email);
    app.clock.advance(1);
    await app.app.runScheduled();
    expect(doneBy(app, 'delete_sessions')).toEqual([1]);
    expect(await ask(app, used.access)).toBe(200);
    expect(await refresh(app, used.refresh)).toBe(200);
  });

  it('ended by reuse stays dead when its row is gone, whichever of its tokens is shown', async () => {
    const app = await testApp({ variables });
    const user = await registerUser(app);
    const { body: next } = await app.request('POST', '/auth/refresh', { body: { refresh_token: user.refresh } });
    await letPass(app, 60);
    expect(await refresh(app, user.refresh)).toBe(401);
    app.clock.advance(2 * day + 1);
    await app.app.runScheduled();
    expect(await count(app, 'sessions')).toBe(0);
    for (const token of [user.refresh, next.refresh_token]) expect(await refresh(app, token)).toBe(401);
    expect(await count(app, 'sessions')).toBe(0);
  });

  it('is kept for as long as its access tokens live, so that a store that came back empty learns of it', async () => {
    const clock = createClock();
    const long = { ...variables, SESSION_RETENTION: String(day), ACCESS_TOKEN_TTL: String(3 * day) };
    const app = await testApp({ clock, kv: createMemoryKeyValue(clock), variables: long });
    const user = await registerUser(app);
    await app.request('POST', '/auth/logout', { token: user.access });
    const empty: TestAppOptions = { clock, kv: createMemoryKeyValue(clock), variables: long };
    for (const [seconds, sessions] of [
      [2 * day, 1],
      [day, 1],
      [121, 0],
    ] as const) {
      clock.advance(seconds);
      const restarted = await testApp({ ...empty, databaseUrl: app.databaseUrl });
      await restarted.app.runScheduled();
      expect(await count(app, 'sessions')).toBe(sessions);
      expect(await ask(restarted, user.access)).toBe(401);
    }
  });
});

describe('a one-time token', () => {
  const insert = ({ deps, clock }: TestApp, id: string) =>
    deps.db.execute(`insert into one_time_tokens (id, purpose, email_index, token_hash, created_at, expires_at)
      values ('${id}', 'verify_email', '', '${id}', ${at(clock.now())}, ${at(clock.now() + 3600_000)})`);

  it('is deleted a day after it ran out', async () => {
    const app = await testApp();
    await insert(app, crypto.randomUUID());
    await expectDeletedAfter(app, 3600 + day, 'one_time_tokens', 'delete_one_time_tokens');
  });

  it('is kept for as long as its mail is to be sent', async () => {
    const app = await testApp();
    const [waiting, dead] = [crypto.randomUUID(), crypto.randomUUID()];
    for (const id of [waiting, dead]) {
      await insert(app, id);
      await app.deps.db.execute(`insert into outbox
        (id, kind, type, subject, payload_sealed, created_at, next_attempt_at, dead)
        values ('${id}', 'email', 'none', '${id}', '', now(), now() + interval '1 year', ${id === dead})`);
    }
    app.clock.advance(10 * day);
    await app.app.runScheduled();
    expect(await count(app, `one_time_tokens where id = '${waiting}'`)).toBe(1);
    expect(await count(app, 'one_time_tokens')).toBe(1);
  });
});

describe('the audit log', () => {
  it('is kept as long as it is told', async () => {
    const app = await testApp({ variables: { AUDIT_RETENTION: String(3 * day) } });
    await registerUser(app);
    app.clock.advance(1);
    await app.request('POST', '/auth/login', { body: { identifier: 'nobody', password } });
    await expectDeletedAfter(app, 3 * day - 1, 'audit_log', 'trim_audit_log');
    app.clock.advance(1);
    await app.app.runScheduled();
    expect(await count(app, 'audit_log')).toBe(0);
  });

  it('is trimmed in batches until nothing is left or time is over, by two at once without a wait', async () => {
    const app = await testApp();
    const other = await testApp({ databaseUrl: app.databaseUrl, clock: app.clock });
    const day0 = at(app.clock.now() - 200 * day * 1000);
    await app.deps.db.execute(`insert into audit_log (id, type, result, created_at)
      select gen_random_uuid(), 'login', 'failure', ${day0} from generate_series(1, 22500)`);
    await Promise.all([app.app.runScheduled(), other.app.runScheduled()]);
    expect((doneBy(app, 'trim_audit_log').at(-1) ?? 0) + (doneBy(other, 'trim_audit_log').at(-1) ?? 0)).toBe(22_500);
    expect(await count(app, 'audit_log')).toBe(0);
  });
});

describe('an event that was given up', () => {
  it('and again after it was replayed is kept for 30 days from then', async () => {
    const sink = collectingSink('down');
    sink.isDown = true;
    const app = await testApp({ variables: webhooks('down'), sinks: [sink] });
    const start = app.clock.now();
    const onDay = async (number: number) => {
      app.clock.advance((start - app.clock.now()) / 1000 + number * day);
      await app.app.runScheduled();
      return [await count(app, 'outbox where dead'), await count(app, 'outbox')];
    };
    await registerUser(app);
    await onDay(3.1);
    expect(await onDay(3.2)).toEqual([2, 2]);
    await onDay(29);
    expect(await replay(app.deps, {})).toBe(2);
    expect(await onDay(29.1)).toEqual([0, 2]);
    await onDay(32.2);
    expect(await onDay(32.5)).toEqual([2, 2]);
    expect(await onDay(62)).toEqual([2, 2]);
    expect(await onDay(63)).toEqual([0, 0]);
  });
});

describe('a mail that was given up', () => {
  const insert = ({ deps, clock }: TestApp, dead: boolean) =>
    deps.db.execute(`insert into outbox (id, kind, type, subject, payload_sealed, created_at, next_attempt_at, dead)
      values ('${uuidv7(clock.now())}', 'email', 'none', gen_random_uuid(), '', ${at(clock.now())},
        ${at(clock.now() + (dead ? 0 : 1000 * day * 1000))}, ${dead})`);

  it('is kept for 30 days; one that waits for longer', async () => {
    const app = await testApp();
    for (const dead of [true, false]) await insert(app, dead);
    await expectDeletedAfter(app, 30 * day, 'outbox', 'delete_dead_mail');
    expect(await count(app, 'outbox where not dead')).toBe(1);
  });
});
