import {
  defineKeyValue,
  type KeyValue,
  type LimitOperation,
  type LimitResult,
  type Operation,
  type Result,
  type ReturnOperation,
  type SetOperation,
  toMilliseconds,
} from '../kv.ts';
import { createAttempts } from './memory-attempts.ts';
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
export function createMemoryKeyValue({ now, capacity = 100_000 }: MemoryOptions): KeyValue {
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

  return defineKeyValue({
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
}

interface Counter {
  index: number;
  current: number;
  previous: number;
  refused: boolean;
  readonly milliseconds: number;
}

/**
 * Sliding windows by the formula of @upstash/ratelimit: hits of the current window, plus those of the previous one
 * weighted by how much of it the sliding window still covers.
 */
function createCounters(capacity: number) {
  const counters = new Map<string, Counter>();
  const prune = createPruning(capacity);
  const isOver = (counter: Counter, time: number) => time >= (counter.index + 2) * counter.milliseconds;

  function makeRoom(time: number): void {
    for (const [key, counter] of counters) if (isOver(counter, time)) counters.delete(key);
    if (counters.size < capacity) return;
    // Those who are refused stay longest: a flood of other keys shall not buy anyone new tries.
    const target = Math.floor(capacity * 0.9);
    for (const spareRefused of [true, false]) {
      for (const [key, counter] of counters) {
        if (counters.size <= target) return;
        if (!(spareRefused && counter.refused)) counters.delete(key);
      }
    }
  }

  function read(key: string, milliseconds: number, time: number): Counter {
    const index = Math.floor(time / milliseconds);
    const counter = counters.get(key) ?? { index, current: 0, previous: 0, refused: false, milliseconds };
    // A clock that steps back opens no window a second time.
    if (index <= counter.index) return counter;
    const previous = index === counter.index + 1 ? counter.current : 0;
    return { index, current: 0, previous, refused: false, milliseconds };
  }

  return {
    hit({ key, limit, window }: LimitOperation, time: number): LimitResult {
      const milliseconds = toMilliseconds(window);
      const name = `${milliseconds}:${key}`;
      const counter = read(name, milliseconds, time);
      const start = counter.index * milliseconds;
      const reset = start + milliseconds;
      const elapsed = Math.max(0, time - start) / milliseconds;
      const used = Math.floor((1 - elapsed) * counter.previous) + counter.current;

      counter.refused = used >= limit;
      if (!counter.refused) counter.current += 1;
      // Moves to the end: the order of the map is the order of last use.
      counters.delete(name);
      if (prune.isDue(counters.size)) {
        makeRoom(time);
        prune.done(counters.size);
      }
      counters.set(name, counter);
      return { success: !counter.refused, limit, remaining: counter.refused ? 0 : limit - used - 1, reset };
    },
    giveBack({ key, window }: ReturnOperation, time: number): boolean {
      const milliseconds = toMilliseconds(window);
      const name = `${milliseconds}:${key}`;
      const counter = read(name, milliseconds, time);
      if (counter.current > 0) counter.current -= 1;
      else counter.previous = Math.max(0, counter.previous - 1);
      if (counters.has(name)) counters.set(name, counter);
      return true;
    },
    clear: () => counters.clear(),
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
