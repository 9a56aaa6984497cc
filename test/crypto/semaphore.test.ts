import { describe, expect, it } from 'vitest';
import { createCostBudget } from '../../src/crypto/cost-budget.ts';
import type { Work } from '../../src/crypto/hashing.ts';
import { createSemaphore, NobodyWaits, Overloaded } from '../../src/crypto/semaphore.ts';

/** Work that ends when it is told to, and what has begun, in order. */
function workshop(width: number, longestWait: number, clock = { time: 0 }) {
  const admit = createSemaphore({ width, longestWait, now: () => clock.time });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const start = (name: string, work: Partial<Work> = {}) =>
    admit(
      () => {
        begun.push(name);
        return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
      },
      { cost: 10, ...work },
    );
  return { begun, start, end: (name: string) => ends.get(name)?.() };
}
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe('the semaphore', () => {
  it('runs as many as it is wide, lets others wait as long as they may, and turns away the rest', async () => {
    const { begun, start, end } = workshop(1, 20);
    const all = ['a', 'b', 'c'].map((name) => start(name));
    await expect(start('d')).rejects.toBeInstanceOf(Overloaded);
    await settled();
    expect(begun).toEqual(['a']);
    for (const name of ['a', 'b', 'c']) {
      end(name);
      await settled();
    }
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c']);
    const last = start('e');
    await settled();
    end('e');
    expect(await last).toBe('e');
  });

  it('does not take the machine for busy by work that costs next to nothing', async () => {
    const clock = { time: 0 };
    const { start, end } = workshop(1, 100, clock);
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const tiny = start(name, { cost: 0.0007 });
      await settled();
      clock.time += 2;
      end(name);
      await tiny;
    }
    const names = ['1', '2', '3', '4', '5', '6', '7', '8'];
    const all = names.map((name) => start(name));
    for (const name of names) {
      await settled();
      end(name);
    }
    expect(await Promise.all(all)).toEqual(names);
  });

  it('counts what waits by its cost: one that costs much takes the place of many', async () => {
    const { start, end } = workshop(1, 100);
    const running = start('a', { cost: 1000 });
    const waiting = start('b', { cost: 95 });
    await expect(start('c')).rejects.toBeInstanceOf(Overloaded);
    const small = start('d', { cost: 5 });
    await settled();
    for (const name of ['a', 'b', 'd']) {
      end(name);
      await settled();
    }
    await Promise.all([running, waiting, small]);
  });

  it('lets one wait that costs more than the whole line, where nothing else does', async () => {
    const { start, end, begun } = workshop(1, 10);
    const both = [start('a'), start('b', { cost: 5000 })];
    await expect(start('c', { cost: 1 })).rejects.toBeInstanceOf(Overloaded);
    await settled();
    end('a');
    await settled();
    end('b');
    await Promise.all(both);
    expect(begun).toEqual(['a', 'b']);
  });

  it('gives what continues admitted work the next place, however full the line is', async () => {
    const { begun, start, end } = workshop(1, 10);
    const all = [start('a'), start('b'), start('next', { isContinuation: true })];
    await settled();
    for (const name of ['a', 'next', 'b']) {
      end(name);
      await settled();
    }
    await Promise.all(all);
    expect(begun).toEqual(['a', 'next', 'b']);
  });

  it('runs one at a time of those that take much memory, and others beside it', async () => {
    const { begun, start, end } = workshop(2, 100);
    const all = [start('large', { isLarge: true }), start('larger', { isLarge: true }), start('small')];
    await settled();
    expect(begun).toEqual(['large', 'small']);
    end('small');
    await settled();
    expect(begun).toEqual(['large', 'small']);
    end('large');
    await settled();
    end('larger');
    await Promise.all(all);
  });

  it('drops who leaves the line, and lets another in on that place', async () => {
    const { begun, start, end } = workshop(1, 10);
    const client = new AbortController();
    const first = start('a');
    const left = start('b', { signal: client.signal });
    await expect(start('c')).rejects.toBeInstanceOf(Overloaded);
    client.abort('gone');
    await expect(left).rejects.toBeInstanceOf(NobodyWaits);
    await expect(start('d', { signal: client.signal })).rejects.toBeInstanceOf(NobodyWaits);
    const other = start('e');
    await settled();
    end('a');
    await settled();
    end('e');
    await Promise.all([first, other]);
    expect(begun).toEqual(['a', 'e']);
  });

  it('lets fewer wait where work takes longer than it should', async () => {
    const clock = { time: 0 };
    const { start, end } = workshop(1, 100, clock);
    const slow = start('slow');
    await settled();
    clock.time = 820;
    end('slow');
    await slow;
    // Eleven times as long: what would wait for 40 ms waits for 440.
    const all = [start('a'), start('b')];
    await expect(start('c')).rejects.toBeInstanceOf(Overloaded);
    await settled();
    end('a');
    await settled();
    end('b');
    await Promise.all(all);
  });

  it('goes on after work that failed', async () => {
    const admit = createSemaphore({ width: 1, longestWait: 10, now: () => 0 });
    await expect(admit(() => Promise.reject(new Error('broken')), { cost: 1 })).rejects.toThrow('broken');
    expect(await admit(async () => 'done', { cost: 1 })).toBe('done');
  });
});

describe('the budget of an isolate', () => {
  it('is spent by what a hash costs, and comes back with time', async () => {
    let time = 0;
    const admit = createCostBudget({ max: 100, now: () => time });
    const hash = (cost: number, isContinuation = false) => admit(async () => 'done', { cost, isContinuation });
    await hash(5000);
    await expect(hash(1)).rejects.toBeInstanceOf(Overloaded);
    expect(await hash(15, true)).toBe('done');
    time += 4915;
    await expect(hash(1)).rejects.toBeInstanceOf(Overloaded);
    time += 1;
    expect(await hash(1)).toBe('done');
    time -= 10_000;
    await expect(hash(1)).rejects.toBeInstanceOf(Overloaded);
    time += 10_001;
    expect(await hash(1)).toBe('done');
  });

  it('is not spent for nobody', async () => {
    const admit = createCostBudget({ max: 100, now: () => 0 });
    const signal = AbortSignal.abort('gone');
    await expect(admit(async () => 'done', { cost: 1000, signal })).rejects.toBeInstanceOf(NobodyWaits);
    expect(await admit(async () => 'done', { cost: 100 })).toBe('done');
  });
});
