import { expect, it } from 'vitest';
import { createGate, Overloaded } from '../../src/crypto/gate.ts';

it('lets as many run as it is wide and wait as it is long, and turns away the rest', async () => {
  const gate = createGate(1, 2);
  const first = Promise.withResolvers<void>();
  const done: number[] = [];
  const run = (index: number) =>
    gate(async () => {
      if (index === 0) await first.promise;
      done.push(index);
    });
  const inside = [run(0), run(1), run(2)];
  await expect(run(3)).rejects.toBeInstanceOf(Overloaded);
  first.resolve();
  await Promise.all(inside);
  expect(done).toEqual([0, 1, 2]);
  await run(4);
  expect(done).toEqual([0, 1, 2, 4]);
});
