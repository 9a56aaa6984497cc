import * as z from 'zod';
import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import { seal, unseal } from '../crypto/seal.ts';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { eventRows } from '../events/event-rows.ts';
import { deliverAfter, type Relay } from '../outbox/relay.ts';
import type { Profile, ProfileRequest, User } from './schemas.ts';
import { readUser, type UserRow, updateProfile } from './store.ts';

const namesSchema = z.object({ name: z.string().nullable(), surname: z.string().nullable() });
type Names = z.output<typeof namesSchema>;

/** What of a person is stored sealed, each value bound to its column and user. */
export interface PersonalData {
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly profile: Names;
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
  const named = profile === null ? { name: null, surname: null } : namesSchema.parse(JSON.parse(profile));
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
  return await toUser(deps, await readActiveUser(deps, userId));
}

/** @throws {Problem} `invalid_token` where the account is gone since the token was issued */
export async function readActiveUser({ db }: Pick<Deps, 'db'>, userId: string): Promise<UserRow> {
  const row = await readUser(db, userId);
  if (row === undefined || row.status !== 'active') throw gone();
  return row;
}

/** A profile, and the entity tag that names its state. */
export interface TaggedProfile {
  readonly profile: Profile;
  readonly etag: string;
}

/** Names its user too, since one address shows each caller another profile. */
const profileTag = ({ id, version }: Pick<UserRow, 'id' | 'version'>) => `"${id}.${version}"`;

async function toTaggedProfile(keys: Keys, row: UserRow): Promise<TaggedProfile> {
  return { profile: { ...(await toUser(keys, row)), locale: row.locale }, etag: profileTag(row) };
}

/** @throws {Problem} `invalid_token` where the account is gone since the token was issued */
export async function readProfile(deps: Keys & Pick<Deps, 'db'>, userId: string): Promise<TaggedProfile> {
  return await toTaggedProfile(deps, await readActiveUser(deps, userId));
}

/**
 * Replaces what people say about themselves.
 * @param required the entity tags of which one has to be the current one; undefined for no condition
 * @throws {Problem} `precondition_failed` where somebody changed it meanwhile, `invalid_token` where the account is gone
 */
export async function changeProfile(
  deps: Deps & { readonly relay: Relay },
  caller: { readonly userId: string; readonly sessionId: string },
  request: ProfileRequest,
  required: readonly string[] | undefined,
  call: Pick<Call, 'origin' | 'after'>,
): Promise<TaggedProfile> {
  const { keyring, now } = deps;
  const { userId } = caller;
  const { name, surname, phone_number: phoneNumber, locale } = request;
  const data = { email: null, phoneNumber, profile: { name, surname } };
  const { phoneSealed, profileSealed } = await sealPersonalData(deps, userId, data);
  const phoneIndex = phoneNumber === null ? null : (await blindIndexes(keyring, 'phone', phoneNumber))[0];
  const fields = ['name', 'surname', 'phone_number', 'locale'] as const;
  const events = await eventRows(deps, 'UserUpdated', userId, { fields: [...fields] });
  const row = await updateProfile(
    deps.db,
    { id: userId, versions: required?.flatMap((tag) => versionOf(tag, userId)) },
    { phoneIndex, phoneSealed, profileSealed, locale, updatedAt: new Date(now()) },
    auditRow(deps, { type: 'profile_changed', result: 'success', ...caller, origin: call.origin }),
    events,
  );
  if (row !== undefined) {
    deliverAfter(deps, call, events);
    return await toTaggedProfile(deps, row);
  }
  throw required === undefined ? gone() : new Problem('precondition_failed');
}

/** The version that a tag names, where it is one of this user's. */
function versionOf(tag: string, id: string): number[] {
  const version = Number(tag.slice(id.length + 2, -1));
  // As large as the column, or the statement fails.
  const isVersion = Number.isInteger(version) && version >= 0 && version < 2 ** 31;
  return isVersion && tag === profileTag({ id, version }) ? [version] : [];
}

const gone = () => new Problem('invalid_token', { reason: 'no such user' });
