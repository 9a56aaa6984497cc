import { and, desc, eq, gt, inArray, isNotNull, sql } from 'drizzle-orm';
import type { Database } from '../db/database.ts';
import { oneTimeTokens, users } from '../db/schema.ts';
import { columnsOf, timestamp } from '../db/sql.ts';
import type { UserRow } from './store.ts';
import type { FoundToken } from './token-store.ts';

/** What a password can be compared with. */
export interface Candidates {
  readonly account: UserRow | undefined;
  /** The newest registration that waits for the address, whether or not an account has it. */
  readonly waiting: FoundToken | undefined;
}

/**
 * The account of an address and the newest registration that waits for it. One statement, the same for every address.
 * @param emailIndexes of the address, newest secret first
 */
export async function findCandidates(db: Database, emailIndexes: readonly string[], now: number): Promise<Candidates> {
  const indexes = [...emailIndexes];
  const { id, purpose, userId, emailIndex, dataSealed } = oneTimeTokens;
  const waiting = db
    .select({ id, purpose, user_id: userId, email_index: emailIndex, data_sealed: dataSealed })
    .from(oneTimeTokens)
    .where(
      and(
        inArray(emailIndex, indexes),
        eq(purpose, 'verify_email'),
        gt(oneTimeTokens.expiresAt, timestamp(now)),
        isNotNull(dataSealed),
      ),
    )
    .orderBy(desc(id))
    .limit(1)
    .as('waiting');
  const [row] = await db
    .select({
      account: columnsOf(users),
      waiting: {
        id: waiting.id,
        purpose: waiting.purpose,
        user_id: waiting.user_id,
        email_index: waiting.email_index,
        data_sealed: waiting.data_sealed,
      },
    })
    .from(sql`(select) as one`)
    .leftJoin(users, inArray(users.emailIndex, indexes))
    .leftJoin(waiting, sql`true`)
    .limit(1);
  return { account: row?.account ?? undefined, waiting: row?.waiting ?? undefined };
}
