// Workerd only: `redis-down.node.test.ts` stops a real Redis, which cannot be done from inside workerd. Here the store
// is at an address where nobody answers, and comes back under another name.
import { describe } from 'vitest';
import { runtime } from '#test-runtime';
import { defineKeyValue } from '../../src/kv.ts';
import { chosen, namespaced } from './key-values.ts';
import { blackHoleSuite, redisDownSuite } from './redis-down-suite.ts';

const token = `test-redis-down-${crypto.randomUUID()}`;
const live = runtime.openKeyValue({ token });
const dead = runtime.openKeyValue({ token, upstashUrl: 'http://127.0.0.1:1' });

describe.skipIf(live === undefined)('Upstash', () => {
  redisDownSuite(async () => {
    if (live === undefined || dead === undefined) throw new Error('skipped');
    let name = crypto.randomUUID();
    let isUp = true;
    const store = namespaced(live, () => name);
    return {
      open: () => chosen(() => (isUp ? store : dead)),
      async stop() {
        isUp = false;
      },
      async restart() {
        name = crypto.randomUUID();
        isUp = true;
      },
      close: async () => undefined,
    };
  });
});

blackHoleSuite(async () =>
  defineKeyValue({
    kind: 'upstash',
    run: () => new Promise(() => undefined),
    close: async () => undefined,
  }),
);
