import * as z from 'zod';
import { type HashLimits, nodeLimits } from '../crypto/hashing.ts';
import { readStoredHash } from '../crypto/stored-hash.ts';
import { ownWords } from '../validation.ts';
import { locale } from './locale-schema.ts';
import { phoneNumber } from './phone.ts';
import { anyName, bounded, email, name, username } from './schemas.ts';

/** What a line of an import is judged by. */
export interface ImportRules {
  /** Of the peppers that are at hand: a hash made with another one can never be verified. */
  readonly pepperIds: readonly string[];
  /** The names of other systems' peppers that are at hand. */
  readonly legacyPeppers?: readonly string[];
  /** What the runtime verifies that these users sign in to: Node unless told. */
  readonly limits?: HashLimits;
  readonly roles: readonly string[];
  /** Milliseconds since the epoch */
  readonly now: number;
}

/** A column of SQL that says nothing is null or an empty text. */
const maybe = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' || value === undefined ? null : value), schema.nullable());

/** ISO 8601. Without an offset it is UTC. Postgres counts microseconds, which are cut. */
const time = (now: number) =>
  bounded(40)
    .pipe(z.iso.datetime({ offset: true, local: true, error: 'Not a time such as 2024-05-01T12:00:00Z (ISO 8601)' }))
    .transform((text) => Date.parse(/Z$|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`))
    .refine((milliseconds) => milliseconds >= 0 && milliseconds <= now, 'Not between 1970 and now');

/**
 * A hash that signing in can verify, and at a bearable cost, in the spelling that is stored: nothing is hashed to find
 * out.
 */
const passwordHash = ({ limits = nodeLimits, pepperIds, legacyPeppers = [] }: ImportRules) =>
  bounded(768).transform((text, context) => {
    const read = readStoredHash(text, limits);
    const refused = (message: string) => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    if ('refused' in read) return refused(read.refused);
    if ('keyId' in read) return pepperIds.includes(read.keyId) ? text : refused('Uses the pepper of another secret');
    if (read.pepper !== undefined && !legacyPeppers.includes(read.pepper)) {
      return refused('Names a pepper that is not in LEGACY_PEPPERS');
    }
    if (read.weakness !== undefined) return refused(read.weakness);
    return read.stored;
  });

/** A name of which the other system did not know what it was: the email, or else a username of any kind. */
const login = z.union(
  [email.transform((read) => ({ email: read })), anyName.transform((read) => ({ username: read }))],
  'Is neither an email address nor a valid name',
);

/** One user of another system, as a line of NDJSON tells. Messages never repeat a value. */
export const importedUser = ({ roles, now, ...rules }: ImportRules) =>
  z
    .strictObject({
      id: maybe(z.uuid('Not a UUID').transform((id) => id.toLowerCase())),
      email: maybe(email),
      email_verified: maybe(z.boolean()),
      username: maybe(username),
      login: maybe(login),
      name: maybe(name),
      surname: maybe(name),
      phone_number: maybe(phoneNumber),
      password_hash: maybe(passwordHash({ roles, now, ...rules })),
      roles: maybe(z.array(z.enum(roles)).max(32)),
      disabled: maybe(z.boolean()),
      created_at: maybe(time(now)),
      locale: maybe(locale),
    })
    .refine(({ email, username, login }) => email !== null || username !== null || login !== null, {
      path: ['email'],
      message: 'Enter an email address, a username, or both',
    })
    .refine(({ email, username, login }) => login === null || (email === null && username === null), {
      path: ['login'],
      message: 'Contains an email address or a username. Use it without the other two fields',
    })
    .transform(({ login, ...user }) => ({ ...user, ...login }));

export type ImportedUser = z.output<ReturnType<typeof importedUser>>;

/** What is wrong with a line: the field, where it is one, and why. Never a value. */
export interface LineProblem {
  readonly field: string | undefined;
  readonly message: string;
}

type ReadLine = { readonly user: ImportedUser } | { readonly problems: readonly LineProblem[] };

const broken = (message: string): ReadLine => ({ problems: [{ field: undefined, message }] });

/** Reads one line. @param schema what `importedUser` gives */
export async function readImportLine(schema: ReturnType<typeof importedUser>, line: string): Promise<ReadLine> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return broken('Not JSON');
  }
  const read = await readImportValue(schema, value);
  // JSON.parse lets the last one win, where other readers may see the first.
  const isTwice = namesOf(line).length > new Set(namesOf(line)).size;
  return 'user' in read && isTwice ? broken('A field appears twice') : read;
}

/** Reads what a line said. */
export async function readImportValue(schema: ReturnType<typeof importedUser>, value: unknown): Promise<ReadLine> {
  const { data, error } = await schema.safeParseAsync(value, { error: ownWords });
  return error === undefined ? { user: data } : { problems: error.issues.flatMap(toProblems) };
}

/** The names of the fields of a flat object, in the order they stand. */
function namesOf(line: string): string[] {
  const strings = line.matchAll(/("(?:[^"\\]|\\.)*")\s*(:?)/g);
  return [...strings].flatMap(([, text = '', colon]) => (colon === ':' ? [String(JSON.parse(text))] : []));
}

function toProblems(issue: z.core.$ZodIssue): LineProblem[] {
  if (issue.code !== 'unrecognized_keys') return [{ field: fieldOf(issue.path), message: issue.message }];
  // What does not look like the name of a column may be a value that slipped.
  return issue.keys.map((key) => ({
    field: /^[a-z][a-z0-9_]{0,40}$/i.test(key) ? key : undefined,
    message: 'Unknown field',
  }));
}

const fieldOf = (path: readonly PropertyKey[]) => (path.length === 0 ? undefined : path.map(String).join('.'));
