import type { Config } from '../config.ts';
import type { Log } from '../ops/log.ts';
import { migrate } from '../platform/postgres-migrations.ts';

/**
 * Brings the schema up to date, where the configuration says so, and logs what it waits for.
 * @param signal breaks it off, in which case nothing was changed
 */
export async function migrateAtStart({ database }: Config, log: Log, signal: AbortSignal | undefined): Promise<void> {
  if (!database.migrateOnStart) return;
  await migrate(database.url, { signal, onWait: (what) => log.warn('migration_waits', { waits_for: what }) });
}
