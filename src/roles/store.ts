import type { Database } from '../db/database.ts';
import { roles } from '../db/schema.ts';

/** Every role: a handful. */
export function readRoles(db: Database): Promise<(typeof roles.$inferSelect)[]> {
  return db.select().from(roles);
}
