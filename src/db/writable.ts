import { sql } from 'drizzle-orm';
import type { Database } from './database.ts';
import { sqlState } from './database.ts';

/** A primary that became a replica, or that is set to be read only. */
const readOnly = '25006';
/** The role of the service may make no temporary tables: then nothing is learnt. */
const notPermitted = '42501';

/**
 * Whether the database takes writes. Makes a temporary table that ends with the statement: it writes to the log and takes
 * new pages, as registering does, which an update of a row that is there would not need on a full disk.
 * @throws where the database cannot be reached, or fails for another reason, such as a full disk
 */
export async function isWritable(db: Database): Promise<boolean> {
  try {
    await db.execute(
      sql`create temporary table edge_auth_readiness on commit drop as select n from generate_series(1, 400) as n`,
    );
    return true;
  } catch (error) {
    const code = sqlState(error)?.code;
    if (code === notPermitted) return true;
    if (code === readOnly) return false;
    throw error;
  }
}
