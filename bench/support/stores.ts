import { startRedisServer } from '../../test/support/redis-server.ts';
import { type OwnPostgres, startOwnPostgres } from './own-postgres.ts';

export interface Stores {
  readonly postgres: OwnPostgres;
  /** With which the service finds both. */
  readonly variables: Readonly<Record<'DATABASE_URL' | 'REDIS_URL', string>>;
  remove(): Promise<void>;
}

/** A Postgres and a Redis that nobody else uses. @param from how the Postgres is started */
export async function startStores(from: () => Promise<OwnPostgres> = startOwnPostgres): Promise<Stores> {
  const postgres = await from();
  const redis = await startRedisServer();
  if (redis === undefined) {
    await postgres.remove();
    throw new Error('There is no redis-server on the PATH');
  }
  return {
    postgres,
    variables: { DATABASE_URL: postgres.url, REDIS_URL: redis.url },
    async remove() {
      await redis.stop();
      await postgres.remove();
    },
  };
}
