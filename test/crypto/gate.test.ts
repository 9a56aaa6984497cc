import { expect, test } from 'vitest';
import { createGate } from '../../src/crypto/gate.ts';

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

test('lets as many run at once as it is wide, and the others in their order', async () => {
  const gate = createGate(2);
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const run = async (index: number) => {
    started.push(index);
    running += 1;
    most = Math.max(most, running);
    await turn();
    running -= 1;
    return index;
  };
  const results = await Promise.all([0, 1, 2, 3, 4, 5].map((index) => gate(() => run(index))));
  expect(results).toEqual([0, 1, 2, 3, 4, 5]);
  expect(started).toEqual([0, 1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

test('goes on after failures', async () => {
  const gate = createGate(1);
  const fail = async () => {
    await turn();
    throw new Error('failed');
  };
  const outcomes = await Promise.allSettled([gate(fail), gate(fail), gate(async () => 'done')]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  expect(await gate(async () => 'still')).toBe('still');
});

test('does not run what was aborted before its turn, and passes the turn on', async () => {
  const gate = createGate(1);
  const client = new AbortController();
  let ran = false;
  const before = gate(turn);
  const waiting = gate(async () => {
    ran = true;
  }, client.signal);
  const behind = gate(async () => 'done');
  client.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  await expect(gate(turn, client.signal)).rejects.toThrow('gone');
  await before;
  expect(await behind).toBe('done');
  expect(ran).toBe(false);
});
