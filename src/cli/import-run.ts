import { type ImportDeps, importUsers, type Outcome } from '../accounts/import.ts';
import { type ImportedUser, importedUser, type LineProblem, readImportLine } from '../accounts/import-schema.ts';
import { readRoles } from '../roles/store.ts';
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
}

type ReadLine = DoneLine | { readonly number: number; readonly user: ImportedUser };

/**
 * Imports NDJSON batch by batch, and tells of the lines in their order. One batch waits in memory, and a fingerprint of
 * each identifier is kept.
 * @param isDryRun writes nothing
 */
export async function* importLines(
  deps: ImportDeps,
  input: AsyncIterable<Uint8Array>,
  isDryRun: boolean,
): AsyncGenerator<DoneLine> {
  const read = createReader(
    deps,
    (await readRoles(deps.db)).map(({ name }) => name),
  );
  let waiting: ReadLine[] = [];
  let users: ImportedUser[] = [];

  async function* flush(): AsyncGenerator<DoneLine> {
    const outcomes = (users.length === 0 ? [] : await importUsers(deps, users, isDryRun)).values();
    for (const line of waiting) yield 'user' in line ? toDone(line.number, outcomes.next().value) : line;
    waiting = [];
    users = [];
  }

  for await (const { number, text } of readLines(input, LONGEST_LINE)) {
    const line = await read(number, text);
    waiting.push(line);
    if ('user' in line) users.push(line.user);
    if (users.length === BATCH || waiting.length === MOST_WAITING) yield* flush();
  }
  yield* flush();
}

function toDone(number: number, outcome: Outcome | undefined): DoneLine {
  if (outcome === undefined) throw new Error('A user without an outcome');
  return { number, outcome: typeof outcome === 'string' ? outcome : [outcome] };
}

/**
 * Reads lines, of which it remembers the identifiers: the first line that has one is good.
 * @param roles that there are
 */
function createReader(
  { keyring, now }: ImportDeps,
  roles: readonly string[],
): (number: number, text: string | null) => Promise<ReadLine> {
  const schema = importedUser({ pepperIds: keyring.all.map(({ id }) => id), roles, now: now() });
  const isSeen = createSeen();
  return async (number, text) => {
    if (text === null) {
      const message = `Longer than ${LONGEST_LINE} bytes, or not UTF-8`;
      return { number, outcome: [{ field: undefined, message }] };
    }
    if (text.trim() === '') return { number, outcome: 'blank' };
    const read = await readImportLine(schema, text);
    if ('problems' in read) return { number, outcome: read.problems };
    const { user } = read;
    const repeated = Object.entries({ id: user.id, email: user.email?.key, username: user.username?.key })
      .filter(([field, value]) => value != null && isSeen(`${field}\0${value}`))
      .map(([field]) => ({ field, message: 'The same as on an earlier line' }));
    return repeated.length > 0 ? { number, outcome: repeated } : { number, user };
  };
}
