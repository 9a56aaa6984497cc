import * as z from 'zod';
import { seal, unseal } from '../crypto/seal.ts';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import type { User } from './schemas.ts';
import { readUser, type UserRow } from './store.ts';

const profileSchema = z.object({ name: z.string().nullable(), surname: z.string().nullable() });
export type Profile = z.output<typeof profileSchema>;

/** What of a person is stored sealed, each value bound to its column and user. */
export interface PersonalData {
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly profile: Profile;
}

type SealedColumns = Pick<UserRow, 'emailSealed' | 'phoneSealed' | 'profileSealed'>;
type Keys = Pick<Deps, 'keyring'>;

export async function sealPersonalData({ keyring }: Keys, userId: string, data: PersonalData): Promise<SealedColumns> {
  const sealed = (column: string, text: string | null) =>
    text === null ? null : seal(keyring, `users.${column}:${userId}`, text);
  const hasProfile = data.profile.name !== null || data.profile.surname !== null;
  const [emailSealed, phoneSealed, profileSealed] = await Promise.all([
    sealed('email', data.email),
    sealed('phone', data.phoneNumber),
    sealed('profile', hasProfile ? JSON.stringify(data.profile) : null),
  ]);
  return { emailSealed, phoneSealed, profileSealed };
}

export async function openPersonalData(
  { keyring }: Keys,
  row: SealedColumns & { readonly id: string },
): Promise<PersonalData> {
  const open = (column: string, sealed: string | null) =>
    sealed === null ? null : unseal(keyring, `users.${column}:${row.id}`, sealed);
  const [email, phoneNumber, profile] = await Promise.all([
    open('email', row.emailSealed),
    open('phone', row.phoneSealed),
    open('profile', row.profileSealed),
  ]);
  const named = profile === null ? { name: null, surname: null } : profileSchema.parse(JSON.parse(profile));
  return { email, phoneNumber, profile: named };
}

/** The user as the user sees it. */
export async function toUser(keys: Keys, row: UserRow): Promise<User> {
  const { email, phoneNumber, profile } = await openPersonalData(keys, row);
  return {
    id: row.id,
    email,
    email_verified: row.emailVerifiedAt !== null,
    username: row.username,
    name: profile.name,
    surname: profile.surname,
    phone_number: phoneNumber,
    roles: row.roles,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}

/** @throws {Problem} `invalid_token` where the account is gone since the token was issued */
export async function me(deps: Keys & Pick<Deps, 'db'>, userId: string): Promise<User> {
  const row = await readUser(deps.db, userId);
  if (row === undefined || row.status !== 'active') throw new Problem('invalid_token', { reason: 'no such user' });
  return await toUser(deps, row);
}
