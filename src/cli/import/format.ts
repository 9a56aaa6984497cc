import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { LineProblem } from '../../accounts/import-schema.ts';
import { normaliseUsername } from '../../accounts/username.ts';

/** A user of an export, in the fields of `import-schema.ts`, and what has no place here. Neither holds a secret in a note. */
export interface ForeignUser {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Roles and groups as they are called there. */
  readonly roles: readonly string[];
  readonly notes: readonly LineProblem[];
}

/** An entry of an export that is no user, or none that can come here. */
export interface ForeignRefusal {
  readonly refused: string;
}

export interface FormatOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What Firebase's console shows as the hash parameters of the project. */
  readonly hashConfig: string | undefined;
}

/**
 * A format of exports.
 * @param document parsed JSON: what stood in the file, or a list of its lines
 * @throws {FormatError} where it is none of these
 */
export type ReadFormat = (document: unknown, options: FormatOptions) => readonly (ForeignUser | ForeignRefusal)[];

/** The file is not what its format says, or something is missing beside it. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

/** Reads each entry by its schema: one that does not fit is refused, and told by the names of its fields. */
export function readEntries<Schema extends z.ZodType>(
  entries: readonly unknown[],
  schema: Schema,
  read: (entry: z.output<Schema>) => ForeignUser | ForeignRefusal,
): (ForeignUser | ForeignRefusal)[] {
  return entries.map((entry) => {
    const { data, error } = schema.safeParse(entry);
    if (error === undefined) return read(data);
    const fields = error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
    return { refused: `Does not match the format: ${fields.slice(0, 3).join(', ')}` };
  });
}

/** A value that may be missing, or null. */
export const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().transform((value) => value ?? null);
export const text = maybe(z.string());
export const flag = maybe(z.boolean());

/** The list in a document: the document itself, or what stands under one of these names. */
export function listIn(document: unknown, ...names: string[]): readonly unknown[] {
  const found = z.record(z.string(), z.unknown()).safeParse(document).data;
  const list = Array.isArray(document) ? document : names.map((name) => found?.[name]).find(Array.isArray);
  if (list === undefined) throw new FormatError(`Expected a list, or an object with a list in ${names.join(' or ')}`);
  return list;
}

/** The same for a format with a line for each entry, of which a file may have one alone. */
export function entriesIn(document: unknown, name: string): readonly unknown[] {
  const found = z.record(z.string(), z.unknown()).safeParse(document).data;
  return found === undefined || Array.isArray(found[name]) ? listIn(document, name) : [found];
}

/**
 * The id that a user has here: the same UUID, or one that derives from an id of another kind. Others who know the old id
 * find the new one: the first 16 bytes of MD5 over `<source>:<id>`, marked as UUID version 8.
 */
export function idOf(source: string, id: string | null): string | null {
  if (id === null || z.uuid().safeParse(id).success) return id;
  const hex = createHash('md5').update(`${source}:${id}`).digest('hex');
  const marked = `${hex.slice(0, 12)}8${hex.slice(13, 16)}8${hex.slice(17)}`;
  return marked.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * The fields of a name to sign in with: left out where it is the address, and any name where there is no address.
 * @returns the note too, for a name that has no place beside an address
 */
export function namesOf(
  email: string | null,
  username: string | null,
): { fields: Record<string, unknown>; notes: LineProblem[] } {
  if (username === null || username === '' || username.toLowerCase() === email?.toLowerCase()) {
    return { fields: { email }, notes: [] };
  }
  if (normaliseUsername(username) !== undefined) return { fields: { email, username }, notes: [] };
  if (email === null || email === '') return { fields: { login: username }, notes: [] };
  return {
    fields: { email },
    notes: [note('username', 'Not a valid username. The user signs in with the email address')],
  };
}

export const note = (field: string, message: string): LineProblem => ({ field, message });

/** A note for each thing that has no place here. Names that look like a value are left out. */
export const noPlaceFor = (field: string, names: readonly string[], message: string): LineProblem[] =>
  names.map((name) => note(field, `${/^[\w.:/-]{1,60}$/.test(name) ? `${name}: ` : ''}${message}`));

/** How people signed in there who did not with a password. */
export const providerNotes = (providers: readonly string[]): LineProblem[] =>
  noPlaceFor(
    'provider',
    [...new Set(providers)],
    'This service has no sign-in with other providers. The user can set a password by mail',
  );

/** ISO 8601 of milliseconds since the epoch. */
export const isoOf = (milliseconds: number | null): string | null =>
  milliseconds === null || !Number.isFinite(milliseconds) ? null : new Date(milliseconds).toISOString();
