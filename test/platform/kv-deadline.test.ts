import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KeyValue, KeyValueUnavailable } from '../../src/kv.ts';
import { withDeadline } from '../../src/platform/kv-deadline.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';

type Behaviour = 'answers' | 'hangs' | 'fails' | 'throws';

/** A store that behaves as told and counts how often it is asked. */
function createStore() {
  const memory = createMemoryKeyValue({ now: Date.now });
  const store = { behaviour: 'answers' as Behaviour, asked: 0 };
  const gate = async () => {
    store.asked += 1;
    if (store.behaviour === 'hangs') await new Promise(() => {});
    if (store.behaviour === 'fails') throw new KeyValueUnavailable('unreachable');
    if (store.behaviour === 'throws') throw new RangeError('mistake');
  };
  const kv: KeyValue = {
    ...memory,
    run: async (operations) => {
      await gate();
      return memory.run(operations);
    },
    ping: gate,
  };
  return { store, kv };
}

describe('a deadline', () => {
  let kv: KeyValue;
  let store: ReturnType<typeof createStore>['store'];
  const states: string[] = [];
  const codeOf = (call: Promise<unknown>) =>
    call.then(
      () => 'answered',
      (error: unknown) => (error instanceof KeyValueUnavailable ? error.code : error),
    );
  const run = () => codeOf(kv.run([{ type: 'get', keys: ['a'] }]));

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
    const created = createStore();
    store = created.store;
    states.length = 0;
    kv = withDeadline(created.kv, { onStateChange: (state) => states.push(state) });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ['sums', { type: 'sums', key: 'a' }],
    ['what is written again', { type: 'set', key: 'a', value: 'b', unhurried: true }],
  ] as const)('gives %s more time, and leaves the store to others where they fail', async (_, operation) => {
    const sums = () => codeOf(kv.run([operation]));
    store.behaviour = 'hangs';
    const slow = sums();
    await vi.advanceTimersByTimeAsync(1999);
    store.behaviour = 'answers';
    expect(await run()).toBe('answered');
    await vi.advanceTimersByTimeAsync(2);
    expect([await slow, await run()]).toEqual(['timeout', 'answered']);
    store.behaviour = 'fails';
    expect([await sums(), await run(), await sums()]).toEqual(['unreachable', 'unreachable', 'paused']);
    expect(states).toEqual(['down']);
  });

  it('passes answers on and leaves no timer behind', async () => {
    const [values, written] = await kv.run([
      { type: 'get', keys: ['a'] },
      { type: 'set', key: 'a', value: 'b' },
    ]);
    expect([values, written]).toEqual([[null], true]);
    expect(vi.getTimerCount()).toBe(0);
    expect(states).toEqual([]);
  });

  it('rejects after 300 milliseconds when the store does not answer', async () => {
    store.behaviour = 'hangs';
    const settled = vi.fn();
    const answer = run().then((code) => {
      settled();
      return code;
    });
    await vi.advanceTimersByTimeAsync(299);
    expect(settled).not.toHaveBeenCalled();
    // One turn of the loop more.
    await vi.advanceTimersByTimeAsync(2);
    expect(await answer).toBe('timeout');
    expect(states).toEqual(['down']);
  });

  it('asks a failed store once a second and rejects at once in between', async () => {
    store.behaviour = 'fails';
    expect(await run()).toBe('unreachable');
    expect(await Promise.all([run(), run(), codeOf(kv.ping())])).toEqual(['paused', 'paused', 'paused']);
    await vi.advanceTimersByTimeAsync(999);
    expect(await run()).toBe('paused');
    expect(store.asked).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await Promise.all([run(), run()])).toEqual(['unreachable', 'paused']);
    expect(store.asked).toBe(2);
    expect(states).toEqual(['down']);
  });

  it('lets everything through again after a probe was answered', async () => {
    store.behaviour = 'fails';
    await run();
    store.behaviour = 'answers';
    await vi.advanceTimersByTimeAsync(1000);
    expect(await run()).toBe('answered');
    expect(await Promise.all([run(), run()])).toEqual(['answered', 'answered']);
    expect(states).toEqual(['down', 'up']);
  });

  it('probes again when a probe never came to an end', async () => {
    store.behaviour = 'fails';
    await run();
    await vi.advanceTimersByTimeAsync(1000);
    store.behaviour = 'hangs';
    // A Worker drops a request's timers with it: nothing but the clock moves.
    vi.clearAllTimers();
    void run();
    vi.clearAllTimers();
    vi.setSystemTime(Date.now() + 1000);
    store.behaviour = 'answers';
    expect(await run()).toBe('answered');
  });

  it('is not paused for long by a clock that was set back', async () => {
    store.behaviour = 'fails';
    await run();
    store.behaviour = 'answers';
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(await run()).toBe('answered');
  });

  it('does not take a mistake of the caller for a failure of the store', async () => {
    store.behaviour = 'throws';
    expect(await run()).toBeInstanceOf(RangeError);
    store.behaviour = 'answers';
    expect(await run()).toBe('answered');
    expect(states).toEqual([]);
  });

  it('swallows what a call that was given up says later', async () => {
    const late = Promise.withResolvers<void>();
    const slow = withDeadline({ ...kv, ping: () => late.promise });
    const answer = codeOf(slow.ping());
    await vi.advanceTimersByTimeAsync(301);
    expect(await answer).toBe('timeout');
    late.reject(new Error('late'));
    await vi.advanceTimersByTimeAsync(0);
  });
});
