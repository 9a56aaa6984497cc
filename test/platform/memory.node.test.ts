// Node only: it measures the heap.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';

it('holds little memory after hits of 400,000 different keys', async () => {
  setFlagsFromString('--expose-gc');
  const collect = z.function().parse(runInNewContext('gc'));
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const kv = createMemoryKeyValue({ now: Date.now });
  const before = heap();
  const hit = (index: number) =>
    ({ type: 'limit', key: `login_address:2001:db8::${index}`, limit: 60, window: 60 }) as const;
  for (let start = 0; start < 400_000; start += 100) {
    await kv.run(Array.from({ length: 100 }, (_, index) => hit(start + index)));
  }
  const grown = heap() - before;
  console.info(`a full memory store holds ${grown.toFixed(1)} MiB`);
  expect(grown).toBeLessThan(40);
  // Still in use, so that it was not collected before it was measured.
  await kv.close();
});
