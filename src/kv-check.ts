import type { Operation } from './kv.ts';

const isDuration = (seconds: number) => Number.isFinite(seconds) && seconds > 0;
const isLocking = (failures: number) => Number.isSafeInteger(failures) && failures > 0;

/** @throws {RangeError} for a number that makes no sense */
export function checkOperation(operation: Operation): void {
  if (operation.type === 'limit' || operation.type === 'return') {
    if (!Number.isSafeInteger(operation.limit) || operation.limit < 0) throw new RangeError('limit is not a count');
    if (!isDuration(operation.window)) throw new RangeError('window is not a duration');
  }
  if (operation.type === 'attempt') {
    if (!Number.isSafeInteger(operation.now) || operation.now < 0) throw new RangeError('now is not a time');
    for (const { failures, pause, longestPause, memory } of operation.counters) {
      if (!isLocking(failures)) throw new RangeError('failures is not a count');
      if (![pause, longestPause, memory].every(isDuration)) throw new RangeError('a counter without a duration');
    }
  }
  if (operation.type === 'add') {
    if (!Number.isSafeInteger(operation.now) || operation.now < 0) throw new RangeError('now is not a time');
    if (![operation.memory, operation.ttl].every(isDuration)) throw new RangeError('an addition without a duration');
    if (![...operation.amounts.values()].every(Number.isSafeInteger)) throw new RangeError('an amount is not whole');
  }
  if (operation.type === 'set' && !Number.isFinite(operation.ttl ?? 0)) throw new RangeError('ttl is not a duration');
}
