import type { ImportedUser, importedUser, LineProblem } from '../../accounts/import-schema.ts';
import { readImportValue } from '../../accounts/import-schema.ts';
import type { ForeignUser } from './format.ts';

/** What a user can do without: where it does not fit, the user comes without it. */
const dispensable: ReadonlySet<string> = new Set([
  'name',
  'surname',
  'phone_number',
  'locale',
  'created_at',
  'password_hash',
]);

/** How roles and groups there are called here, by `--role theirs=ours`. */
export type RoleNames = ReadonlyMap<string, string>;

type Read =
  | { readonly user: ImportedUser; readonly notes: readonly LineProblem[] }
  | { readonly problems: readonly LineProblem[] };

/**
 * Makes a user of ours of one of an export. What does not fit and can be done without is left out, and told.
 * @param roles that there are here
 */
export async function readForeignUser(
  schema: ReturnType<typeof importedUser>,
  foreign: ForeignUser,
  roles: readonly string[],
  roleNames: RoleNames,
): Promise<Read> {
  const granted = rolesOf(foreign.roles, roles, roleNames);
  const fields: Record<string, unknown> = { ...foreign.fields, roles: granted.roles };
  const notes = [...foreign.notes, ...granted.notes];
  const first = await readImportValue(schema, fields);
  if ('user' in first) return { user: first.user, notes };
  for (const { field = '', message } of first.problems) {
    if (!dispensable.has(field)) continue;
    fields[field] = null;
    const outcome = field === 'password_hash' ? 'The user arrives without a password' : 'Left out';
    notes.push({ field, message: `${outcome}: ${message}` });
  }
  const second = await readImportValue(schema, fields);
  return 'user' in second ? { user: second.user, notes } : second;
}

/**
 * A role of the same name is the same one, but for `admin`, who may do everything here and may have done little there.
 */
function rolesOf(
  foreign: readonly string[],
  roles: readonly string[],
  roleNames: RoleNames,
): { roles: string[]; notes: LineProblem[] } {
  const granted: string[] = [];
  const notes: LineProblem[] = [];
  for (const name of new Set(foreign)) {
    const plain = name.replace(/^\//, '');
    const ours = roleNames.get(name) ?? roleNames.get(plain) ?? plain;
    const isNamed = roleNames.has(name) || roleNames.has(plain);
    const shown = /^[\w.:/-]{1,60}$/.test(name) ? `${name}: ` : '';
    if (ours === 'admin' && !isNamed) {
      notes.push({ field: 'roles', message: `${shown}Not granted. To grant it, add --role ${plain}=admin` });
    } else if (roles.includes(ours)) granted.push(ours);
    else if (!['authenticated', 'anon'].includes(plain)) {
      notes.push({
        field: 'roles',
        message: `${shown}This service has no such role. Add it, or map it to another with --role`,
      });
    }
  }
  return { roles: granted.length === 0 ? [] : [...new Set(['user', ...granted])], notes };
}
