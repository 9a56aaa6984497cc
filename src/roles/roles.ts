import type { Deps } from '../deps.ts';
import { describeError } from '../ops/log.ts';
import { isPermission, type Permission } from './permissions.ts';
import { readRoles } from './store.ts';

/** How old what is known of roles may be, and when it is read again while it still serves: milliseconds. */
const longestAge = 60_000;
const renewAfter = 30_000;

export interface Roles {
  /**
   * Whether one of these roles holds a permission. A role that nobody knows holds none.
   * @throws where the database cannot tell: then nobody is permitted anything
   */
  permit(roles: readonly string[], permission: Permission): Promise<boolean>;
}

/** The roles as one isolate sees them: read from Postgres in one statement, kept for a minute at most. */
export function createRoles({ db, log, now }: Pick<Deps, 'db' | 'log' | 'now'>): Roles {
  let known: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  let knownSince = Number.NEGATIVE_INFINITY;
  let readAgainAt = Number.NEGATIVE_INFINITY;

  const warned = new Set<string>();

  async function read(): Promise<void> {
    const asked = now();
    // While one request reads, the others use what is there: requests on Workers must not share a promise.
    readAgainAt = asked + renewAfter;
    const rows = await readRoles(db);
    // An answer that was long on its way must not undo what a later one told.
    if (asked < knownSince) return;
    known = new Map(rows.map(({ name, permissions }) => [name, new Set(permissions)]));
    knownSince = asked;
    for (const { name, permissions } of rows) {
      for (const permission of permissions.filter((each) => !isPermission(each))) {
        const place = `${name} ${permission}`;
        if (warned.has(place)) continue;
        warned.add(place);
        log.warn('unknown_permission', { role: name, permission, advice: 'Correct it in the table roles' });
      }
    }
  }

  return {
    async permit(roles, permission) {
      if (now() - knownSince >= longestAge) await read();
      else if (now() >= readAgainAt) await read().catch((error) => log.warn('roles_not_read', describeError(error)));
      return roles.some((role) => known.get(role)?.has(permission) === true);
    },
  };
}
