import * as z from 'zod';
import type { LineProblem } from '../../accounts/import-schema.ts';
import { encodeBase64 } from '../../crypto/legacy/base64.ts';
import {
  entriesIn,
  flag,
  idOf,
  maybe,
  namesOf,
  noPlaceFor,
  note,
  providerNotes,
  type ReadFormat,
  readEntries,
  text,
} from './format.ts';

const customHash = z.object({
  algorithm: z.string(),
  hash: z.object({ value: z.string(), encoding: text }),
  salt: maybe(z.object({ value: z.string(), encoding: text })),
  keylen: maybe(z.number()),
  cost: maybe(z.number()),
  blockSize: maybe(z.number()),
  parallelization: maybe(z.number()),
});
type CustomHash = z.output<typeof customHash>;

/**
 * The schema of Auth0's bulk import, which its export extension gives too, and what its support sends with hashes
 * (`passwordHash`, `_id`).
 */
const user = z.object({
  user_id: text,
  _id: maybe(z.union([z.string(), z.object({ $oid: z.string() }).transform(({ $oid }) => $oid)])),
  email: text,
  email_verified: flag,
  username: text,
  given_name: text,
  family_name: text,
  name: text,
  phone_number: text,
  locale: text,
  blocked: flag,
  created_at: text,
  password_hash: text,
  passwordHash: text,
  custom_password_hash: maybe(customHash),
  app_metadata: maybe(z.record(z.string(), z.unknown())),
  user_metadata: maybe(z.record(z.string(), z.unknown())),
  identities: maybe(z.array(z.object({ provider: z.string() }))),
  mfa_factors: maybe(z.array(z.unknown())),
});

const roleList = z.array(z.string());
const known: ReadonlySet<string> = new Set(['roles', 'locale']);

/** An array of users, or a line for each. */
export const readAuth0: ReadFormat = (document) =>
  readEntries(entriesIn(document, 'users'), user, (entry) => {
    const id = entry.user_id?.replace(/^auth0\|/, '') ?? entry._id;
    const named = namesOf(entry.email, entry.username);
    const custom = entry.custom_password_hash === null ? undefined : readCustomHash(entry.custom_password_hash);
    const providers = (entry.identities ?? [])
      .map(({ provider }) => provider)
      .filter((provider) => provider !== 'auth0');
    const metadata = [...Object.keys(entry.app_metadata ?? {}), ...Object.keys(entry.user_metadata ?? {})];
    // Without names of its own, Auth0 calls a user by the address.
    const name = entry.given_name ?? (entry.name === entry.email ? null : entry.name);
    return {
      fields: {
        id: idOf('auth0', id),
        ...named.fields,
        email_verified: entry.email_verified,
        name,
        surname: entry.family_name,
        phone_number: entry.phone_number,
        locale: entry.locale ?? z.string().safeParse(entry.user_metadata?.['locale']).data ?? null,
        password_hash: entry.password_hash ?? entry.passwordHash ?? custom?.hash ?? null,
        disabled: entry.blocked,
        created_at: entry.created_at,
      },
      roles: roleList.safeParse(entry.app_metadata?.['roles']).data ?? [],
      notes: [
        ...named.notes,
        ...(custom?.notes ?? []),
        ...providerNotes(providers),
        ...noPlaceFor(
          'metadata',
          metadata.filter((field) => !known.has(field)),
          'Not imported',
        ),
        ...((entry.mfa_factors ?? []).length === 0
          ? []
          : [note('mfa_factors', 'Not imported. The user signs in with the password alone')]),
      ],
    };
  });

/** bcrypt, argon2 and pbkdf2 say in the value what they are; scrypt in fields of its own. */
function readCustomHash(custom: CustomHash): { hash: string | null; notes: LineProblem[] } {
  const { algorithm, hash, salt } = custom;
  if (['bcrypt', 'argon2', 'pbkdf2'].includes(algorithm)) return { hash: hash.value, notes: [] };
  if (algorithm !== 'scrypt') {
    return {
      hash: null,
      notes: [
        note(
          'custom_password_hash',
          'A digest without a cost, which protects no password. The user arrives without a password',
        ),
      ],
    };
  }
  const { cost, blockSize, parallelization } = custom;
  const saltText = encodeBase64(bytesOf(salt?.value ?? '', salt?.encoding ?? 'utf8'));
  const numbers = `ln=${Math.log2(cost ?? 16_384)},r=${blockSize ?? 8},p=${parallelization ?? 1}`;
  const tag = encodeBase64(bytesOf(hash.value, hash.encoding ?? 'base64'));
  return { hash: `$scrypt$${numbers}$${saltText}$${tag}`, notes: [] };
}

const bytesOf = (value: string, encoding: string): Uint8Array =>
  new Uint8Array(Buffer.from(value, encoding === 'hex' ? 'hex' : encoding === 'base64' ? 'base64' : 'utf8'));
