import { expect, inject, it } from 'vitest';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { letPass } from '../support/sessions.ts';
import { createClock, createDatabase, registerUser, type TestApp, testApp } from '../support/test-app.ts';

/** Two isolates (or replicas) of one service; the limits are out of the way. */
async function twoIsolates(): Promise<[TestApp, TestApp]> {
  const clock = createClock();
  const shared = {
    databaseUrl: await createDatabase(),
    clock,
    kv: createMemoryKeyValue({ now: clock.now }),
    variables: { LIMIT_REFRESH_SESSION: '1000000/1', LIMIT_REGISTER_ADDRESS: '1000000/1' },
  };
  return [await testApp(shared), await testApp(shared)];
}

const refresh = ({ request }: TestApp, token: string) =>
  request('POST', '/auth/refresh', { body: { refresh_token: token } });

const rounds = inject('raceRounds');
const parallel = 50;

it(`steps exactly once in each of ${rounds} rounds of ${parallel} parallel refreshes of one token`, async () => {
  const isolates = await twoIsolates();
  const [first] = isolates;
  let { refresh: current } = await registerUser(first);
  for (let round = 1; round <= rounds; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: parallel }, (_, index) => refresh(isolates[index % 2 === 0 ? 0 : 1], current)),
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const successors = new Set(answers.map(({ body }) => body.refresh_token));
    expect(successors.size).toBe(1);
    [current = ''] = successors;
    expect(current.split('.')[1]).toBe(String(round));
  }
  const { rows } = await rowsOf(first, 'select generation, ended_at from sessions');
  expect(rows).toEqual([{ generation: rounds, ended_at: null }]);
});

it('leaves nothing usable after a replay that came late, however many race with it', async () => {
  const [first, second] = await twoIsolates();
  for (let round = 0; round < Math.min(20, rounds); round += 1) {
    const { refresh: stolen } = await registerUser(first);
    const { body: victim } = await refresh(first, stolen);
    await letPass(first, 31);
    const answers = await Promise.all([
      ...Array.from({ length: 5 }, () => refresh(first, stolen)),
      ...Array.from({ length: 5 }, () => refresh(second, victim.refresh_token)),
    ]);
    await expectDead([first, second], answers);
  }
});

it('leaves nothing usable after a logout, however many refreshes race with it', async () => {
  const [first, second] = await twoIsolates();
  for (let round = 0; round < Math.min(40, rounds * 2); round += 1) {
    const { refresh: current } = await registerUser(first);
    const racing = Array.from({ length: 6 }, () => refresh(second, current));
    const logout = first.request('POST', '/auth/logout', { body: { refresh_token: current } });
    const [{ status }, ...answers] = await Promise.all([logout, ...racing]);
    expect(status).toBe(200);
    await expectDead([second, first], answers);
  }
});

/** Every token in the answers is refused: refresh tokens by the row, access tokens by the mark. */
async function expectDead([refreshing, verifying]: [TestApp, TestApp], answers: { status: number; body: Tokens }[]) {
  for (const { status, body } of answers.filter((answer) => answer.status === 200)) {
    expect(status).toBe(200);
    expect((await refresh(refreshing, body.refresh_token)).status).toBe(401);
    const { status: verified } = await verifying.request('GET', '/users/me', { token: body.access_token });
    expect(verified).toBe(401);
  }
}

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

async function rowsOf({ deps }: TestApp, statement: string): Promise<{ rows: unknown[] }> {
  const result: unknown = await deps.db.execute(statement);
  if (typeof result !== 'object' || result === null || !('rows' in result) || !Array.isArray(result.rows)) {
    throw new Error('No rows');
  }
  return { rows: result.rows };
}
