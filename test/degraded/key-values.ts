import { defineKeyValue, type KeyValue, type Operation } from '../../src/kv.ts';

/**
 * A store of the test's own inside one that all tests share: `revocations-since` is one key for everybody, while each
 * test has a clock of its own.
 * @param name may change on the way: what was written under another name is gone then
 */
export function namespaced(kv: KeyValue, name: () => string): KeyValue {
  const named = (key: string) => `${name()}:${key}`;
  const inside = (operation: Operation): Operation => {
    if (operation.type === 'get') return { ...operation, keys: operation.keys.map(named) };
    if (operation.type !== 'attempt') return { ...operation, key: named(operation.key) };
    const counters = operation.counters.map((counter) => ({ ...counter, key: named(counter.key) }));
    return { ...operation, counters, resetKey: named(operation.resetKey) };
  };
  return defineKeyValue({ ...kv, run: (operations) => kv.run(operations.map(inside)) });
}

/** One of several stores, asked for anew at each call. */
export function chosen(kv: () => KeyValue): KeyValue {
  const { kind } = kv();
  return defineKeyValue({
    kind,
    run: (operations) => kv().run(operations),
    close: () => kv().close(),
  });
}
