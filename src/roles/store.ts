import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../db/database.ts';
import { roles, users } from '../db/schema.ts';
import { Problem } from '../errors.ts';
import { adminRole, type Permission } from './permissions.ts';

/** Every role: a handful. */
export function readRoles(db: Database): Promise<(typeof roles.$inferSelect)[]> {
  return db.select().from(roles);
}

/** Whether the row `name` of users is that of an active admin. */
const isAdmin = (name: string) =>
  sql`${sql.raw(name)}.status = 'active' and ${sql.raw(name)}.roles @> array[${adminRole}]::text[]`;

/**
 * The part of a statement that locks a user and who acts on them; and all active admins, where the user is one and could
 * cease to be one: so of statements that each take one of the last two away, the second sees what the first has done.
 * All in the order of their ids, so that no two statements wait for each other in a circle.
 * @returns rows of `id, status, roles, password_hash, email_index`, as they are once they are locked
 */
export function lockedUsers(which: {
  readonly userId: string;
  readonly actorId: string | null;
  readonly admins: boolean;
}): SQL {
  const others = which.admins
    ? sql`union select a.id from ${users} as a where ${isAdmin('a')} and exists (
        select from ${users} as t where t.id = ${which.userId}::uuid and ${isAdmin('t')})`
    : sql``;
  return sql`select u.id, u.status, u.roles, u.password_hash, u.email_index from ${users} as u
    where u.id = any(array(select ${which.userId}::uuid union select ${which.actorId}::uuid ${others}))
    order by u.id for update`;
}

/**
 * Whether the row `l` of `locked` (`lockedUsers`) is an active admin without whom nobody could administer: the others
 * have no password, and a mail to choose one may never arrive.
 */
export const isLastAdmin: SQL = sql`(${isAdmin('l')} and not exists (
    select from locked as o where o.id <> l.id and ${isAdmin('o')} and o.password_hash is not null))`;

/** Whoever holds it can give themselves every power, and so may act on everybody. */
const overAll: Permission = 'roles:write';

/**
 * Whether the row `l` of `locked` (`lockedUsers`) has powers that who acts on them does not have, by what the rows say
 * of their roles at this moment. So nobody gets rid of those, or into the account of those, who may do more.
 * @param actorId null where it is an operator, or the user themselves
 */
export const isOutOfReach = (actorId: string | null): SQL =>
  actorId === null
    ? sql`false`
    : sql`(l.id <> ${actorId}::uuid and exists (
        select from (
          select unnest(r.permissions) as power from ${roles} as r where r.name = any(l.roles)
          union select ${overAll} where l.roles @> array[${adminRole}]::text[]
        ) as theirs
        where not exists (
          select from locked as a join ${roles} as r on r.name = any(a.roles)
          where a.id = ${actorId}::uuid and (r.permissions @> array[theirs.power] or r.permissions @> array[${overAll}]::text[])
        )))`;

/** The answer to who may not act on somebody. */
export const outOfReach = (): Problem =>
  new Problem('forbidden', {
    detail: `This user holds a permission that you do not hold. You need ${overAll} to do this`,
  });
