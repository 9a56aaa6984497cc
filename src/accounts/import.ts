import { auditRow } from '../audit/audit.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import { derivedUuidv7 } from '../crypto/random.ts';
import type { Deps } from '../deps.ts';
import type { EventDeps } from '../events/event-rows.ts';
import { skeletonOf } from './confusables.ts';
import type { ImportedUser, LineProblem } from './import-schema.ts';
import { findHolders, type Holder, insertImported } from './import-store.ts';
import { newUser } from './new-user.ts';
import type { UserRow } from './store.ts';
import { userImported } from './user-events.ts';

export type ImportDeps = EventDeps & Pick<Deps, 'db'>;

/** What became of a user: written, already there and left as it is, or refused. */
export type Outcome = 'imported' | 'present' | LineProblem;

/** A user of the file, with what it is found by. */
interface Candidate {
  readonly user: ImportedUser;
  readonly id: string;
  /** Ids that an earlier run may have given, under an older secret. */
  readonly olderIds: readonly string[];
  /** One for each secret, newest first. */
  readonly emailIndexes: readonly string[];
}

const encoder = new TextEncoder();

/**
 * Carries users over from another system. Who is there already stays as they are, so that the same users may come
 * again, also after an end in the middle.
 * @param batch no two of them with one id, email or username; a few hundred at most, which are one statement
 * @param isDryRun finds out what would become of them, and writes nothing
 * @returns what became of each, in their order
 */
export async function importUsers(
  deps: ImportDeps,
  batch: readonly ImportedUser[],
  isDryRun: boolean,
): Promise<Outcome[]> {
  const candidates = await Promise.all(batch.map((user) => candidate(deps, user)));
  const outcomes = new Map<Candidate, Outcome>();
  let open = candidates;
  // Somebody may register between the two statements: then the second look knows.
  for (let looks = 0; looks < 3 && open.length > 0; looks += 1) {
    const judge = await judgeOf(deps, open);
    const free: Candidate[] = [];
    for (const each of open) {
      const outcome = judge(each);
      if (outcome === undefined) free.push(each);
      else outcomes.set(each, outcome);
    }
    const written = isDryRun ? new Set(free.map(({ id }) => id)) : await write(deps, free);
    for (const each of free) if (written.has(each.id)) outcomes.set(each, 'imported');
    open = free.filter(({ id }) => !written.has(id));
  }
  const restless: LineProblem = { field: undefined, message: 'Changed during the import. Run the import again' };
  return candidates.map((each) => outcomes.get(each) ?? restless);
}

async function candidate({ keyring }: ImportDeps, user: ImportedUser): Promise<Candidate> {
  const emailIndexes = user.email === null ? [] : await blindIndexes(keyring, 'email', user.email.key);
  if (user.id !== null) return { user, emailIndexes, id: user.id, olderIds: [] };
  const indexes =
    user.email === null ? await blindIndexes(keyring, 'username', user.username?.key ?? '') : emailIndexes;
  // A second run has to find the same id. It derives from a keyed hash: nobody can tell from it whose it is.
  const derived = async (index: string) => {
    const hash = await crypto.subtle.digest('SHA-256', encoder.encode(`imported user\0${index}`));
    return derivedUuidv7(user.created_at ?? 0, new Uint8Array(hash));
  };
  const [id = '', ...olderIds] = await Promise.all(indexes.map(derived));
  return { user, emailIndexes, id, olderIds };
}

/** Looks up who has the ids, emails and usernames. The judgement is undefined where all of them are free. */
async function judgeOf(
  { db }: ImportDeps,
  open: readonly Candidate[],
): Promise<(each: Candidate) => Outcome | undefined> {
  const holders = await findHolders(db, {
    ids: open.flatMap(({ id, olderIds }) => [id, ...olderIds]),
    emailIndexes: open.flatMap(({ emailIndexes }) => emailIndexes),
    skeletons: open.flatMap(({ user }) => (user.username === null ? [] : skeletonOf(user.username.key))),
  });
  const by = (key: keyof Holder) => new Map(holders.map((holder) => [holder[key], holder]));
  const [ids, emails, usernames, looks] = [by('id'), by('emailIndex'), by('usernameKey'), by('skeleton')];
  return ({ user, id, olderIds, emailIndexes }) => {
    const holder = [id, ...olderIds].map((each) => ids.get(each)).find((found) => found !== undefined);
    if (holder !== undefined) {
      // Nobody but who came by this line has an id that derives from it.
      if (user.id === null || holder.hasMoved) return 'present';
      const hasEmail = emailIndexes.some((index) => index === holder.emailIndex);
      const hasUsername = user.username !== null && user.username.key === holder.usernameKey;
      // Two services that both count from 1: nobody shall be lost because somebody else was there first.
      return hasEmail || hasUsername
        ? 'present'
        : { field: 'id', message: 'Belongs to an account with another email address or username' };
    }
    const isEmailTaken = emailIndexes.some((index) => emails.has(index));
    const isUsernameTaken = user.username !== null && usernames.has(user.username.key);
    if (!isEmailTaken && user.username !== null && !isUsernameTaken && looks.has(skeletonOf(user.username.key))) {
      return { field: 'username', message: 'Looks like the username of another account' };
    }
    if (!isEmailTaken && !isUsernameTaken) return undefined;
    // Without an id of its own, a user is who has the email, or else the username.
    const isSame = user.email === null ? isUsernameTaken : isEmailTaken;
    if (user.id === null && isSame) return 'present';
    return { field: isEmailTaken ? 'email' : 'username', message: 'Belongs to another account' };
  };
}

async function write(deps: ImportDeps, free: readonly Candidate[]): Promise<Set<string>> {
  if (free.length === 0) return new Set();
  const rows = await Promise.all(free.map((each) => toRow(deps, each)));
  const origin = { address: undefined, userAgent: undefined };
  const entry = { type: 'user_imported', result: 'success', userId: null, sessionId: null, origin } as const;
  const auditIds = free.map(() => deps.newId());
  const events = await Promise.all(rows.map((row, n) => userImported(deps, row, free[n]?.user.email?.address ?? null)));
  return new Set(await insertImported(deps.db, rows, auditRow(deps, entry), auditIds, events.flat()));
}

async function toRow(deps: ImportDeps, { id, user }: Candidate): Promise<UserRow> {
  const row = await newUser(
    { ...deps, newId: () => id },
    {
      email: user.email,
      emailVerified: user.email !== null && user.email_verified === true,
      username: user.username,
      passwordHash: user.password_hash,
      name: user.name,
      surname: user.surname,
      phoneNumber: user.phone_number,
      locale: user.locale,
    },
  );
  return {
    ...row,
    status: user.disabled === true ? 'disabled' : 'active',
    roles: user.roles === null || user.roles.length === 0 ? row.roles : [...new Set(user.roles)],
    createdAt: user.created_at === null ? row.createdAt : new Date(user.created_at),
  };
}
