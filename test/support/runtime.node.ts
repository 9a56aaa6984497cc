import { inject } from 'vitest';
import { createArgon2Native } from '../../src/platform/argon2-native.ts';
import { createDirectoryAssets } from '../../src/platform/assets-directory.ts';
import { createPostgres } from '../../src/platform/postgres.ts';
import { createRedisKeyValue } from '../../src/platform/redis.ts';
import { createRedisStreamWriter } from '../../src/platform/redis-stream-tcp.ts';
import { createNodePost } from '../../src/platform/webhook-node.ts';
import type { Runtime } from './runtime.ts';

/** What `src/node.ts` would use. */
export const runtime: Runtime = {
  name: 'node',
  argon2: createArgon2Native(),
  assets: createDirectoryAssets('dist/docs'),
  openDatabase: ({ url, logger }) => createPostgres({ url, poolSize: 10, logger }),
  openKeyValue({ redisUrl }) {
    const url = redisUrl ?? inject('redisUrl');
    return url === null ? undefined : createRedisKeyValue({ url });
  },
  createPost: ({ allowPrivate }) => createNodePost(allowPrivate),
  openStreamWriter() {
    const url = inject('redisUrl');
    return url === null ? undefined : createRedisStreamWriter(url);
  },
};
