import { defineKeyValue, KeyValueUnavailable } from '../../src/kv.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { type Clock, createClock, registerUser, testApp } from '../support/test-app.ts';
import { ask } from './sessions-under-test.ts';

/** A store in memory that fails, or loses a part of what it holds, when the test says so. */
export function unreliable(clock: Clock) {
  let memory = createMemoryKeyValue(clock);
  let failing: 'nothing' | 'writes' | 'everything' = 'nothing';
  let drops: (key: string) => boolean = () => false;
  const written: string[] = [];
  let maxAtOnce = 0;
  const interruptions = new Map<string, () => Promise<void>>();
  const kv = defineKeyValue({
    kind: 'redis',
    async run(operations) {
      const isWrite = operations.some(({ type }) => type === 'set');
      if (failing === 'everything') throw new KeyValueUnavailable('unreachable');
      if (failing === 'writes' && isWrite) throw new KeyValueUnavailable('READONLY');
      if (isWrite) maxAtOnce = Math.max(maxAtOnce, operations.length);
      for (const operation of operations) {
        if (operation.type !== 'set') continue;
        written.push(operation.key);
        const interrupt = interruptions.get(operation.key);
        interruptions.delete(operation.key);
        await interrupt?.();
      }
      return await memory.run(
        operations.map((operation) =>
          operation.type === 'set' && drops(operation.key) ? { ...operation, key: 'dropped' } : operation,
        ),
      );
    },
    close: async () => {},
  });
  return {
    kv,
    /** The keys of all values that were written, as often as they were. */
    written,
    /** How many operations were sent with a write at once, at most. */
    maxAtOnce: () => maxAtOnce,
    fail: (what: typeof failing) => {
      failing = what;
    },
    drop: (which: (key: string) => boolean) => {
      drops = which;
    },
    /** Has something done right before a key is written the next time. */
    before: (key: string, work: () => Promise<void>) => void interruptions.set(key, work),
    restart: () => {
      memory = createMemoryKeyValue(clock);
    },
  };
}

/** An application over such a store, with somebody whose first sign-in was two minutes ago. */
export async function overUnreliableStore() {
  const clock = createClock();
  const store = unreliable(clock);
  const app = await testApp({ clock, kv: store.kv });
  const user = await registerUser(app);
  await ask(app, user.access);
  clock.advance(120);
  return { app, clock, store, user };
}
