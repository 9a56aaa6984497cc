import { type KeyValue, KeyValueUnavailable, type Operation } from '../../src/kv.ts';

/**
 * A store of the test's own inside one that all tests share: `revocations-since` is one key for everybody, and each
 * test has a clock of its own.
 */
export function namespaced(kv: KeyValue, name = () => 'test'): KeyValue {
  const inside = (operation: Operation): Operation =>
    operation.type === 'get'
      ? { ...operation, keys: operation.keys.map((key) => `${name()}:${key}`) }
      : { ...operation, key: `${name()}:${operation.key}` };
  return {
    ...kv,
    // One result for each operation, whatever its key: the types of the port do not survive a map.
    run: ((operations: readonly Operation[]) => kv.run(operations.map(inside))) as KeyValue['run'],
  };
}

export { KeyValueUnavailable };
