import type { Logger } from 'drizzle-orm/logger';
import type { Hashing } from '../../src/crypto/hashing.ts';
import type { Database } from '../../src/db/database.ts';
import type { Deps } from '../../src/deps.ts';
import type { KeyValue } from '../../src/kv.ts';
import type { StreamWriter } from '../../src/platform/redis-stream.ts';
import type { Post } from '../../src/platform/webhook.ts';

/** The adapters of one runtime: `#test-runtime` gives those of the runtime that the test runs on. */
export interface Runtime {
  readonly name: 'workerd' | 'node';
  readonly hashing: Hashing;
  readonly assets: Deps['assets'];
  /** @param options `isKept` lets connections go on to whoever opens this database next */
  openDatabase(options: { url: string; logger: Logger; isKept?: boolean }): { db: Database; close(): Promise<void> };
  /** Undefined where no Redis can be had. The addresses are for a store of the test's own. */
  openKeyValue(options: { token: string; redisUrl?: string; upstashUrl?: string }): KeyValue | undefined;
  /** How webhooks are posted. */
  createPost(options: { allowPrivate: boolean }): Post;
  /** Undefined where no Redis can be had. */
  openStreamWriter(options: { token: string }): StreamWriter | undefined;
}
