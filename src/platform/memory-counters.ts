import { type LimitOperation, type LimitResult, type ReturnOperation, toMilliseconds } from '../kv.ts';
import { createPruning } from './memory-pruning.ts';

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
export function createCounters(capacity: number) {
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

  function write(name: string, counter: Counter, time: number): void {
    // Moves to the end: the order of the map is the order of last use.
    counters.delete(name);
    if (prune.isDue(counters.size)) {
      makeRoom(time);
      prune.done(counters.size);
    }
    counters.set(name, counter);
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
      write(name, counter, time);
      return { success: !counter.refused, limit, remaining: counter.refused ? 0 : limit - used - 1, reset };
    },
    /** Below the half nothing is kept: what this process lets through by itself is the other half. */
    learn({ key, limit, window }: LimitOperation, { success, remaining }: LimitResult, time: number): void {
      const used = success ? limit - remaining : limit;
      if (used * 2 <= limit) return;
      const milliseconds = toMilliseconds(window);
      const name = `${milliseconds}:${key}`;
      const counter = read(name, milliseconds, time);
      write(name, { ...counter, current: Math.max(counter.current, used) }, time);
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
