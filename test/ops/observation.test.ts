import { describe, expect, it } from 'vitest';
import type { Observation } from '../../src/ops/observation.ts';
import { createObserver, ownTrace } from '../../src/ops/observer.ts';
import { testApp } from '../support/test-app.ts';

/** Everything that an observation holds, however deep; a recorder is the same for all. */
function heldBy(value: unknown, found = new Set<unknown>()): Set<unknown> {
  if (found.has(value)) return found;
  found.add(value);
  if (typeof value === 'object' && value !== null) {
    const inner = value instanceof Map ? [...value].flat() : Object.values(value);
    for (const each of inner) heldBy(each, found);
  }
  return found;
}

describe('what travels with a request', () => {
  it.each(['true', 'false'])('is plain data and functions made before it, with SERVER_TIMING=%s', async (timing) => {
    const { deps } = await testApp({
      databaseUrl: 'postgres://nobody@127.0.0.1:9/none',
      variables: { SERVER_TIMING: timing },
    });
    const observer = createObserver(deps);
    const seen: Observation[] = [];
    for (let requests = 0; requests < 2; requests += 1) {
      await observer.trace(ownTrace, async (here) => {
        seen.push(here);
        return {
          result: undefined,
          outcome: () => ({ name: 'request', kind: 'server', attributes: {}, failed: false }),
        };
      });
    }
    const [first, second] = seen.map((each) => heldBy(each));
    const functionsOf = (held = new Set<unknown>()) => [...held].filter((each) => typeof each === 'function');
    expect(functionsOf(first).length).toBeGreaterThan(0);
    expect(new Set(functionsOf(first))).toEqual(new Set(functionsOf(second)));
    const shared = heldBy(seen[0]?.recorder);
    const own = [...(first ?? [])].filter((each) => typeof each === 'object' && each !== null && !shared.has(each));
    const plain: readonly unknown[] = [Object.prototype, Map.prototype];
    expect(own.every((each) => plain.includes(Object.getPrototypeOf(each)))).toBe(true);
  });
});
