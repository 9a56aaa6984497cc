import { afterEach, expect, it, vi } from 'vitest';
import { runEvery } from '../../src/scheduled/timer.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('calls again and again, not while work is under way, and ends with it', async () => {
  vi.useFakeTimers();
  const calls: PromiseWithResolvers<void>[] = [];
  const signals: AbortSignal[] = [];
  const end = runEvery(60_000, (signal) => {
    signals.push(signal);
    const call = Promise.withResolvers<void>();
    calls.push(call);
    return call.promise;
  });
  await vi.advanceTimersByTimeAsync(59_999);
  expect(calls).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(calls).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(calls).toHaveLength(1);
  calls[0]?.resolve();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toHaveLength(2);

  let ended = false;
  const ending = end().then(() => {
    ended = true;
  });
  expect(signals[1]?.aborted).toBe(true);
  await vi.advanceTimersByTimeAsync(600_000);
  expect([ended, calls.length]).toEqual([false, 2]);
  calls[1]?.resolve();
  await ending;
  await vi.advanceTimersByTimeAsync(600_000);
  expect(calls).toHaveLength(2);
});
