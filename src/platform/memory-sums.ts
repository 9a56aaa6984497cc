import { type AddOperation, type SumsOperation, toMilliseconds } from '../kv.ts';

interface Sums {
  readonly numbers: Map<string, number>;
  /** What was added, and when it may be forgotten: milliseconds. */
  readonly added: Map<string, number>;
  expiresAt: number;
}

/** Sums of amounts: what the scripts in `sum-scripts.ts` do in Redis. */
export function createSums(capacity: number) {
  const all = new Map<string, Sums>();

  function read(key: string, time: number): Sums {
    const found = all.get(key);
    if (found !== undefined && found.expiresAt > time) return found;
    return { numbers: new Map(), added: new Map(), expiresAt: 0 };
  }

  return {
    add({ key, id, memory, ttl, now, amounts }: AddOperation, time: number): boolean {
      const sums = read(key, time);
      if ((sums.added.get(id) ?? 0) > now) return false;
      for (const [name, amount] of amounts) {
        const number = sums.numbers.get(name);
        if (number !== undefined || sums.numbers.size < capacity) sums.numbers.set(name, (number ?? 0) + amount);
      }
      for (const [each, until] of sums.added) if (until <= now) sums.added.delete(each);
      sums.added.set(id, now + toMilliseconds(memory));
      sums.expiresAt = time + toMilliseconds(ttl);
      const [oldest] = all.keys();
      if (oldest !== undefined && !all.has(key) && all.size >= capacity) all.delete(oldest);
      all.set(key, sums);
      return true;
    },
    sums: ({ key }: SumsOperation, time: number): ReadonlyMap<string, number> => new Map(read(key, time).numbers),
    clear: () => all.clear(),
  };
}
