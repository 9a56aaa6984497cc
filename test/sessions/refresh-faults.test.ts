import { describe, expect, it } from 'vitest';
import { createDatabaseClock } from '../../src/db/clock.ts';
import { stepSession } from '../../src/sessions/refresh-store.ts';
import { letPass } from '../support/sessions.ts';
import { createStatementFaults } from '../support/statement-faults.ts';
import { type Answer, createClock, registerUser, type TestApp, testApp } from '../support/test-app.ts';

/** How the statement that steps a session begins. */
const step = 'with stepped as';

const refresh = ({ request }: TestApp, token: string, signal?: AbortSignal): Promise<Answer> =>
  request('POST', '/auth/refresh', { body: { refresh_token: token }, ...(signal && { signal }) });

/** Two replicas of one service; statements of the first one can be held up. */
async function twoReplicas() {
  const faults = createStatementFaults();
  const clock = createClock();
  const first = await testApp({ clock, wrapDatabase: faults.wrap });
  const second = await testApp({ clock, databaseUrl: first.databaseUrl });
  const wasReused = () => [first, second].some((app) => app.logLines.some((line) => line.includes('token_reuse')));
  return { faults, first, second, wasReused, user: await registerUser(second) };
}

describe('an honest client stays signed in', () => {
  it('where the answer of Postgres is lost after the commit, and it tries again as it is told', async () => {
    const { faults, first, user, wasReused } = await twoReplicas();
    faults.loseAnswer(step);
    const lost = await refresh(first, user.refresh);
    expect([lost.status, lost.headers.get('Retry-After')]).toEqual([503, '2']);
    // The longest answer, the pause, and another one that takes as long.
    await letPass(first, 12);
    const { status, body } = await refresh(first, user.refresh);
    expect([status, body.refresh_token.split('.')[1]]).toEqual([200, '1']);
    expect((await refresh(first, body.refresh_token)).status).toBe(200);
    expect(wasReused()).toBe(false);
  });

  for (const steps of [1, 2, 3, 5]) {
    it(`where a statement that was held up arrives ${steps} steps late, whoever still waits for it`, async () => {
      const { faults, first, second, user, wasReused } = await twoReplicas();
      const late = faults.hold(step);
      const answer = refresh(first, user.refresh);
      await late.held;
      let token = user.refresh;
      for (let taken = 0; taken < steps; taken += 1) token = (await refresh(second, token)).body.refresh_token;
      late.release();
      const { status, headers } = await answer;
      // One step late it gives the same successor; more than that it asks to try again with the newest token.
      expect([status, headers.get('Retry-After')]).toEqual(steps === 1 ? [200, null] : [503, '2']);
      expect((await refresh(second, token)).status).toBe(200);
      expect(wasReused()).toBe(false);
    });
  }

  it('where it hung up, asked elsewhere, and its first statement arrives two steps and an hour later', async () => {
    const { faults, first, second, user, wasReused } = await twoReplicas();
    const late = faults.hold(step);
    const client = new AbortController();
    const answer = refresh(first, user.refresh, client.signal);
    await late.held;
    client.abort();
    const { body: one } = await refresh(second, user.refresh);
    const { body: two } = await refresh(second, one.refresh_token);
    await letPass(second, 3600);
    late.release();
    await answer;
    expect((await refresh(second, two.refresh_token)).status).toBe(200);
    expect(wasReused()).toBe(false);
  });

  it('in tabs that all show one token, however their statements are ordered', async () => {
    const { faults, first, second, user, wasReused } = await twoReplicas();
    const holds = Array.from({ length: 5 }, () => faults.hold(step));
    const answers = holds.map(() => refresh(first, user.refresh));
    await Promise.all(holds.map(({ held }) => held));
    let { body } = await refresh(second, user.refresh);
    for (const { release } of holds.toReversed()) {
      release();
      body = (await refresh(second, body.refresh_token)).body;
    }
    for (const { status } of await Promise.all(answers)) expect([200, 503]).toContain(status);
    expect((await refresh(second, body.refresh_token)).status).toBe(200);
    expect(wasReused()).toBe(false);
  });
});

describe('a thief', () => {
  it('is told by a token that was used before, also while statements are held up', async () => {
    const { faults, first, second, user, wasReused } = await twoReplicas();
    const { body: one } = await refresh(second, user.refresh);
    const { body: two } = await refresh(second, one.refresh_token);
    await letPass(second, 1);
    const late = faults.hold('with ended as');
    const answer = refresh(first, user.refresh);
    await late.held;
    // It is certain by now, so nothing that happens meanwhile saves the session.
    const { body: three } = await refresh(second, two.refresh_token);
    late.release();
    expect((await answer).status).toBe(401);
    expect((await refresh(second, three.refresh_token)).status).toBe(401);
    expect(wasReused()).toBe(true);
  });
});

describe('a statement that arrives after its deadline', () => {
  it('changes nothing', async () => {
    const app = await testApp();
    const { refresh: token } = await registerUser(app);
    const [sessionId = ''] = token.split('.');
    const now = app.clock.now();
    const at = { now, idleFrom: now - 1000, deadline: now - 60_000 };
    const found = await stepSession(app.deps.db, { sessionId, generation: 0 }, at);
    expect(found).toMatchObject({ session: undefined, late: true });
    expect((await refresh(app, token)).body.refresh_token.split('.')[1]).toBe('1');
  });

  it('teaches a process that was asleep what time it is, and is sent again', async () => {
    let asleep = 0;
    const app = await testApp({ steady: () => performance.now() - asleep });
    const { refresh: token } = await registerUser(app);
    const { body } = await refresh(app, token);
    asleep = 3_600_000;
    const before = app.statements.length;
    expect((await refresh(app, body.refresh_token)).status).toBe(200);
    expect(app.statements.length - before).toBe(2);
  });
});

describe('what a process knows of the clock of its database', () => {
  it('stays as it is while answers agree with it, and follows where they do not', () => {
    let [steady, wall] = [1000, 0];
    const clock = createDatabaseClock({ now: () => wall, steady: () => steady });
    wall = 5_000_000;
    expect(clock.now()).toBe(5_060_000);
    clock.learn(7_000_010, 980);
    expect(clock.now()).toBe(7_000_020);
    // The clock of the host does not matter any more, and a slow answer tells nothing new.
    [steady, wall] = [6000, 0];
    clock.learn(7_001_000, 1001);
    expect(clock.now()).toBe(7_005_020);
    clock.learn(8_000_000, 6000);
    expect(clock.now()).toBe(8_000_000);
  });
});
