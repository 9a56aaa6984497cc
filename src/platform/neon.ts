import { neon, neonConfig } from '@neondatabase/serverless';
import type { Logger } from 'drizzle-orm/logger';
import { drizzle } from 'drizzle-orm/neon-http';
import type { Database } from '../db/database.ts';
import { retryingDatabase } from '../db/retries.ts';

export interface NeonOptions {
  readonly url: string;
  /** Where statements are posted, for an endpoint other than Neon's own. */
  readonly endpoint?: string | undefined;
  /** Sees each statement, for tests that count. */
  readonly logger?: Logger;
}

/** Postgres over Neon's HTTP protocol: each statement is one request, given up after 10 s. */
export function createNeon({ url, endpoint, logger }: NeonOptions): Database {
  if (endpoint !== undefined) neonConfig.fetchEndpoint = endpoint;
  neonConfig.fetchFunction = async (input: string, init: RequestInit) => {
    const response = await fetch(input, { ...init, signal: AbortSignal.timeout(10_000) });
    // What breaks here the driver tells as a lost connection; what breaks while it reads the body itself, as it comes.
    return new Response(await response.text(), response);
  };
  return retryingDatabase(drizzle(neon(url), { logger: logger ?? false }));
}
