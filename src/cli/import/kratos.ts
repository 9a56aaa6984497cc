import * as z from 'zod';
import {
  entriesIn,
  maybe,
  namesOf,
  noPlaceFor,
  note,
  providerNotes,
  type ReadFormat,
  readEntries,
  text,
} from './format.ts';

const loose = maybe(z.record(z.string(), z.unknown()));

/** An identity of the Admin API (`GET /admin/identities?include_credential=password`), or one that is made for its import. */
const identity = z.object({
  id: text,
  state: text,
  traits: z.looseObject({
    email: text,
    username: text,
    name: maybe(z.union([z.string(), z.object({ first: text, last: text })])),
    first_name: text,
    last_name: text,
    phone: text,
    locale: text,
  }),
  verifiable_addresses: maybe(z.array(z.object({ value: z.string(), verified: z.boolean() }))),
  credentials: maybe(
    z.looseObject({
      password: maybe(z.object({ config: maybe(z.object({ hashed_password: text })) })),
      oidc: maybe(z.object({ config: maybe(z.object({ providers: maybe(z.array(z.object({ provider: text }))) })) })),
    }),
  ),
  metadata_public: loose,
  metadata_admin: loose,
  created_at: text,
});

const known: ReadonlySet<string> = new Set([
  'email',
  'username',
  'name',
  'first_name',
  'last_name',
  'phone',
  'locale',
  'roles',
]);
const strings = z.array(z.string());

/** Ory Kratos: identities as a list, or a line for each. */
export const readKratos: ReadFormat = (document) =>
  readEntries(entriesIn(document, 'identities'), identity, (entry) => {
    const { traits, credentials, metadata_public: shown, metadata_admin: hidden } = entry;
    const named = namesOf(traits.email, traits.username);
    const name = typeof traits.name === 'string' ? { first: traits.name, last: null } : traits.name;
    const isVerified = (entry.verifiable_addresses ?? []).some(
      ({ value, verified }) => verified && value === traits.email,
    );
    const others = Object.keys(credentials ?? {}).filter((type) => type !== 'password' && type !== 'oidc');
    const fields = [traits, shown ?? {}, hidden ?? {}].flatMap(Object.keys).filter((field) => !known.has(field));
    return {
      fields: {
        id: entry.id,
        ...named.fields,
        email_verified: isVerified,
        name: name?.first ?? traits.first_name,
        surname: name?.last ?? traits.last_name,
        phone_number: traits.phone,
        locale: traits.locale,
        password_hash: credentials?.password?.config?.hashed_password ?? null,
        disabled: entry.state === 'inactive',
        created_at: entry.created_at,
      },
      // Users edit their own traits: only admins edit the metadata.
      roles: [shown?.['roles'], hidden?.['roles']].flatMap((list) => strings.safeParse(list).data ?? []),
      notes: [
        ...named.notes,
        ...providerNotes((credentials?.oidc?.config?.providers ?? []).flatMap(({ provider }) => provider ?? [])),
        ...noPlaceFor('credentials', others, 'Not imported. The user signs in with the password alone'),
        ...noPlaceFor('traits', fields, 'Not imported'),
        ...('roles' in traits ? [note('traits', 'roles: Not granted, since users edit their own traits')] : []),
      ],
    };
  });
