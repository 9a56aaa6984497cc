import { env } from 'cloudflare:workers';
import { inject } from 'vitest';
import argon2Module from '#argon2.wasm';
import { createArgon2Wasm } from '../../src/platform/argon2-wasm.ts';
import { createBoundAssets } from '../../src/platform/assets-binding.ts';
import { createNeon } from '../../src/platform/neon.ts';
import { createUpstashStreamWriter } from '../../src/platform/redis-stream-upstash.ts';
import { createUpstashKeyValue } from '../../src/platform/upstash.ts';
import { fetchPost } from '../../src/platform/webhook-fetch.ts';
import type { Runtime } from './runtime.ts';

const argon2 = createArgon2Wasm(argon2Module);

/** What `src/worker.ts` would use. */
export const runtime: Runtime = {
  name: 'workerd',
  argon2,
  assets: createBoundAssets(Reflect.get(env, 'ASSETS')),
  openDatabase: ({ url, logger }) => ({
    db: createNeon({ url, endpoint: inject('neonEndpoint'), logger }),
    close: async () => {},
  }),
  openKeyValue({ token, upstashUrl }) {
    const url = upstashUrl ?? inject('upstashUrl');
    return url === null ? undefined : createUpstashKeyValue({ url, token });
  },
  createPost: () => fetchPost,
  openStreamWriter({ token }) {
    const url = inject('upstashUrl');
    return url === null ? undefined : createUpstashStreamWriter({ url, token });
  },
};
