import { type ImportDeps, importUsers, type Outcome } from '../accounts/import.ts';
import { type ImportedUser, importedUser, type LineProblem, readImportLine } from '../accounts/import-schema.ts';
import { nodeLimits, workersImportLimits } from '../crypto/hashing.ts';
import { readStoredHash } from '../crypto/stored-hash.ts';
import { readRoles } from '../roles/store.ts';
import { readDocument } from './import/document.ts';
import { type RoleNames, readForeignUser } from './import/foreign-users.ts';
import type { ReadFormat } from './import/format.ts';
import { readLines } from './import-lines.ts';
import { createSeen } from './import-seen.ts';

/** Users in one statement. */
const BATCH = 200;
/** Lines that wait for their statement, of which most may be wrong. */
const MOST_WAITING = 2000;
/** Bytes. The longest user that is none too long takes about 5 KiB. */
const LONGEST_LINE = 65_536;

/** What became of a line: it is blank, its user was written or already there, or it is refused. */
export interface DoneLine {
  readonly number: number;
  readonly outcome: 'blank' | 'imported' | 'present' | readonly LineProblem[];
  /** What has no place here, of a user that was not refused. */
  readonly notes: readonly LineProblem[];
}

export interface ImportOptions {
  /** Writes nothing. */
  readonly isDryRun: boolean;
  /** Of a whole export; undefined for NDJSON of our own. */
  readonly format: ReadFormat | undefined;
  readonly hashConfig: string | undefined;
  readonly roleNames: RoleNames;
  /** What users sign in to; undefined where nobody said. */
  readonly runtime: 'node' | 'workers' | undefined;
}

type ImportRunDeps = ImportDeps & { readonly legacyPeppers: ReadonlyMap<string, string> };
type ReadLine =
  | DoneLine
  | { readonly number: number; readonly user: ImportedUser; readonly notes: readonly LineProblem[] };

/**
 * Imports users batch by batch, and tells of the lines in their order. One batch waits in memory, and a fingerprint of
 * each identifier is kept; an export of another system is read as a whole.
 */
export async function* importLines(
  deps: ImportRunDeps,
  input: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): AsyncGenerator<DoneLine> {
  const roles = (await readRoles(deps.db)).map(({ name }) => name);
  const lines = createReader(deps, roles, options)(input);
  let waiting: ReadLine[] = [];
  let users: ImportedUser[] = [];

  async function* flush(): AsyncGenerator<DoneLine> {
    const outcomes = (users.length === 0 ? [] : await importUsers(deps, users, options.isDryRun)).values();
    for (const line of waiting) yield 'user' in line ? toDone(line, outcomes.next().value) : line;
    waiting = [];
    users = [];
  }

  for await (const line of lines) {
    waiting.push(line);
    if ('user' in line) users.push(line.user);
    if (users.length === BATCH || waiting.length === MOST_WAITING) yield* flush();
  }
  yield* flush();
}

function toDone(
  { number, notes }: { number: number; notes: readonly LineProblem[] },
  outcome: Outcome | undefined,
): DoneLine {
  if (outcome === undefined) throw new Error('A user without an outcome');
  if (typeof outcome === 'string') return { number, outcome, notes: outcome === 'imported' ? notes : [] };
  return { number, outcome: [outcome], notes: [] };
}

const refusedLine = (number: number, outcome: readonly LineProblem[]): DoneLine => ({ number, outcome, notes: [] });

/**
 * Reads lines, of which it remembers the identifiers: the first line that has one is good.
 * @param roles that there are
 */
function createReader(
  { keyring, legacyPeppers, now }: ImportRunDeps,
  roles: readonly string[],
  { format, hashConfig, roleNames, runtime }: ImportOptions,
): (input: AsyncIterable<Uint8Array>) => AsyncGenerator<ReadLine> {
  const schema = importedUser({
    pepperIds: keyring.all.map(({ id }) => id),
    legacyPeppers: [...legacyPeppers.keys()],
    limits: runtime === 'workers' ? workersImportLimits : nodeLimits,
    roles,
    now: now(),
  });
  const isSeen = createSeen();

  function accept(number: number, user: ImportedUser, notes: readonly LineProblem[]): ReadLine {
    const repeated = Object.entries({ id: user.id, email: user.email?.key, username: user.username?.key })
      .filter(([field, value]) => value != null && isSeen(`${field}\0${value}`))
      .map(([field]) => ({ field, message: 'Repeats an earlier line' }));
    if (repeated.length > 0) return refusedLine(number, repeated);
    return { number, user, notes: [...notes, ...(runtime === undefined ? nodeAlone(user) : [])] };
  }

  async function readLine(number: number, text: string | null): Promise<ReadLine> {
    if (text === null) {
      const message = `Longer than ${LONGEST_LINE} bytes, or not UTF-8`;
      return refusedLine(number, [{ field: undefined, message }]);
    }
    if (text.trim() === '') return { number, outcome: 'blank', notes: [] };
    const read = await readImportLine(schema, text);
    return 'problems' in read ? refusedLine(number, read.problems) : accept(number, read.user, []);
  }

  return async function* (input) {
    if (format === undefined) {
      for await (const { number, text } of readLines(input, LONGEST_LINE)) yield await readLine(number, text);
      return;
    }
    const entries = format(await readDocument(input), { now: now(), hashConfig });
    for (const [index, entry] of entries.entries()) {
      const number = index + 1;
      const read =
        'refused' in entry
          ? { problems: [{ field: undefined, message: entry.refused }] }
          : await readForeignUser(schema, entry, roles, roleNames);
      yield 'problems' in read ? refusedLine(number, read.problems) : accept(number, read.user, read.notes);
    }
  };
}

/** Told where nobody said which runtime the users sign in to. */
function nodeAlone({ password_hash: hash }: ImportedUser): LineProblem[] {
  const read = hash === null ? undefined : readStoredHash(hash, workersImportLimits);
  if (read === undefined || !('refused' in read)) return [];
  return [{ field: 'password_hash', message: `Only the service on Node verifies this hash. ${read.refused}` }];
}
