import { env } from 'cloudflare:workers';
import { inject } from 'vitest';
import argon2Module from '#argon2.wasm';
import type { Hashing } from '../../src/crypto/hashing.ts';
import { requireAwaited } from '../../src/crypto/semaphore.ts';
import { createArgon2Wasm } from '../../src/platform/argon2-wasm.ts';
import { createBoundAssets } from '../../src/platform/assets-binding.ts';
import { createWorkersHashing } from '../../src/platform/hashing-workers.ts';
import { createNeon } from '../../src/platform/neon.ts';
import { createUpstashStreamWriter } from '../../src/platform/redis-stream-upstash.ts';
import { createUpstashKeyValue } from '../../src/platform/upstash.ts';
import { fetchPost } from '../../src/platform/webhook-fetch.ts';
import type { Runtime } from './runtime.ts';

/** Without the budget, which one test would leave spent for the next: its own test is `semaphore.test.ts`. */
const hashing: Hashing = {
  ...createWorkersHashing(createArgon2Wasm(argon2Module), Date.now),
  async admit(run, { signal }) {
    requireAwaited(signal);
    return await run();
  },
};

/** What `src/worker.ts` would use. */
export const runtime: Runtime = {
  name: 'workerd',
  hashing,
  assets: createBoundAssets(Reflect.get(env, 'ASSETS')),
  openDatabase: ({ url, logger }) => ({
    db: createNeon({ url, endpoint: inject('neonEndpoint'), logger }),
    close: async () => {},
  }),
  openKeyValue({ token, upstashUrl }) {
    const url = upstashUrl ?? inject('upstashUrl');
    // A busy machine takes longer than a second; how long a store of their own may take, tests find out.
    const patience = upstashUrl === undefined ? { timeout: 60_000 } : {};
    return url === null ? undefined : createUpstashKeyValue({ url, token, ...patience });
  },
  createPost: () => fetchPost,
  openStreamWriter({ token }) {
    const url = inject('upstashUrl');
    return url === null ? undefined : createUpstashStreamWriter({ url, token });
  },
};
