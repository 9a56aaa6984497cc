import { defineKeyValue, type Operation, type Result, type SetOperation, toMilliseconds } from '../kv.ts';
import type { LocalKeyValue } from '../kv-local.ts';
import { createAttempts } from './memory-attempts.ts';
import { createCounters } from './memory-counters.ts';
import { createPruning } from './memory-pruning.ts';
import { createSums } from './memory-sums.ts';

interface MemoryOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How many windows, how many values, and how many counters of failures are held at most. */
  readonly capacity?: number;
}

/**
 * A store in the memory of one process: the default where no Redis is configured, and the fallback for limits while the
 * shared store is away. Its size is bounded, so that a flood of addresses cannot exhaust memory.
 */
export function createMemoryKeyValue({ now, capacity = 100_000 }: MemoryOptions): LocalKeyValue {
  const counters = createCounters(capacity);
  const values = createValues(capacity);
  const attempts = createAttempts(capacity);
  const sums = createSums(capacity);

  function perform(operation: Operation, time: number): Result {
    switch (operation.type) {
      case 'limit':
        return counters.hit(operation, time);
      case 'return':
        return counters.giveBack(operation, time);
      case 'attempt':
        return attempts.attempt(operation, values.get(operation.resetKey, time));
      case 'forgive':
        return attempts.forgive(operation);
      case 'fail':
        return attempts.fail(operation);
      case 'set':
        return values.set(operation, time);
      case 'get':
        return operation.keys.map((key) => values.get(key, time));
      case 'add':
        return sums.add(operation, time);
      case 'sums':
        return sums.sums(operation, time);
    }
  }

  const store = defineKeyValue({
    kind: 'memory',
    async run(operations) {
      const time = now();
      return operations.map((operation) => perform(operation, time));
    },
    async close() {
      counters.clear();
      values.clear();
      attempts.clear();
      sums.clear();
    },
  });
  return {
    ...store,
    learn(guess, tried, limits, results) {
      attempts.learn(guess, tried, values.get(guess.resetKey, now()));
      for (const [index, limit] of limits.entries()) {
        const result = results[index];
        if (result !== undefined) counters.learn(limit, result, now());
      }
    },
  };
}

interface Value {
  readonly value: string;
  readonly expiresAt: number;
}

function createValues(capacity: number) {
  const values = new Map<string, Value>();
  const prune = createPruning(capacity);

  function makeRoom(time: number): void {
    for (const [key, { expiresAt }] of values) if (expiresAt <= time) values.delete(key);
    // A store that has lost one value has lost them all, like one that restarted: readers who rely on a mark being
    // there (a revocation) look for another that tells since when marks are kept.
    if (values.size >= capacity) values.clear();
  }

  function get(key: string, time: number): string | null {
    const found = values.get(key);
    return found !== undefined && found.expiresAt > time ? found.value : null;
  }

  return {
    get,
    set({ key, value, ttl, ifAbsent = false }: SetOperation, time: number): boolean {
      if (ifAbsent && get(key, time) !== null) return false;
      const expiresAt = ttl === undefined ? Number.POSITIVE_INFINITY : time + toMilliseconds(ttl);
      values.delete(key);
      if (prune.isDue(values.size)) {
        makeRoom(time);
        prune.done(values.size);
      }
      values.set(key, { value, expiresAt });
      return true;
    },
    clear: () => values.clear(),
  };
}
