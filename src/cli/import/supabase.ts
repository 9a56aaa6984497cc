import * as z from 'zod';
import { entriesIn, flag, maybe, noPlaceFor, providerNotes, type ReadFormat, readEntries, text } from './format.ts';

const metadata = maybe(z.record(z.string(), z.unknown()));

/** A row of `auth.users`, as `row_to_json` writes it. */
const user = z.object({
  id: z.string(),
  email: text,
  phone: text,
  encrypted_password: text,
  email_confirmed_at: text,
  created_at: text,
  banned_until: text,
  deleted_at: text,
  is_anonymous: flag,
  is_sso_user: flag,
  raw_app_meta_data: metadata,
  raw_user_meta_data: metadata,
});

const known: ReadonlySet<string> = new Set([
  ...['first_name', 'given_name', 'name', 'full_name', 'last_name', 'family_name', 'locale'],
  // GoTrue writes these by itself.
  ...['sub', 'email', 'email_verified', 'phone_verified', 'provider', 'providers', 'role', 'roles'],
]);
const strings = z.array(z.string());

/** Supabase: the users as a list, or a line for each. */
export const readSupabase: ReadFormat = (document, { now }) =>
  readEntries(entriesIn(document, 'users'), user, (entry) => {
    if (entry.deleted_at !== null) return { refused: 'Deleted in Supabase' };
    if (entry.is_anonymous === true) return { refused: 'An anonymous user without any way to sign in' };
    const [app, own] = [entry.raw_app_meta_data ?? {}, entry.raw_user_meta_data ?? {}];
    const first = (...names: string[]) =>
      names.map((name) => own[name]).find((value) => typeof value === 'string' && value !== '') ?? null;
    const providers = strings.safeParse(app['providers']).data ?? [];
    const role = z.string().safeParse(app['role']).data;
    return {
      fields: {
        id: entry.id,
        email: entry.email,
        // `confirmed_at` says that the address or the phone is.
        email_verified: entry.email_confirmed_at !== null,
        name: first('first_name', 'given_name', 'name', 'full_name'),
        surname: first('last_name', 'family_name'),
        // Supabase leaves the plus out.
        phone_number: entry.phone === null || entry.phone === '' ? null : `+${entry.phone.replace(/^\+/, '')}`,
        locale: first('locale'),
        password_hash: entry.encrypted_password,
        disabled: entry.banned_until !== null && Date.parse(entry.banned_until) > now,
        created_at: entry.created_at?.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00') ?? null,
      },
      roles: [...(strings.safeParse(app['roles']).data ?? []), ...(role === undefined ? [] : [role])],
      notes: [
        ...providerNotes(providers.filter((provider) => provider !== 'email' && provider !== 'phone')),
        ...(entry.is_sso_user === true ? providerNotes(['sso']) : []),
        ...noPlaceFor(
          'metadata',
          [...Object.keys(app), ...Object.keys(own)].filter((name) => !known.has(name)),
          'Not imported',
        ),
      ],
    };
  });
