import { defineKeyValue, type KeyValue, type Operation } from '../../src/kv.ts';

/**
 * A store of the test's own inside one that all tests share: `revocations-since` is one key for everybody, while each
 * test has a clock of its own.
 * @param name may change on the way: what was written under another name is gone then
 */
export function namespaced(kv: KeyValue, name: () => string): KeyValue {
  const inside = (operation: Operation): Operation =>
    operation.type === 'get'
      ? { ...operation, keys: operation.keys.map((key) => `${name()}:${key}`) }
      : { ...operation, key: `${name()}:${operation.key}` };
  return defineKeyValue({ ...kv, run: (operations) => kv.run(operations.map(inside)) });
}

/** One of several stores, asked for anew at each call. */
export function chosen(kv: () => KeyValue): KeyValue {
  const { kind } = kv();
  return defineKeyValue({
    kind,
    run: (operations) => kv().run(operations),
    ping: () => kv().ping(),
    close: () => kv().close(),
  });
}
