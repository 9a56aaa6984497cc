import * as z from 'zod';
import {
  flag,
  idOf,
  isoOf,
  listIn,
  maybe,
  namesOf,
  note,
  providerNotes,
  type ReadFormat,
  readEntries,
  text,
} from './format.ts';

const time = maybe(z.union([z.string(), z.number()]));

/** Rows of the tables `user` and `account`: of the core, and of the plugins username, admin and two-factor. */
const user = z.object({
  id: z.string(),
  name: text,
  email: text,
  emailVerified: maybe(z.union([z.boolean(), z.number().transform(Boolean)])),
  username: text,
  displayUsername: text,
  phoneNumber: text,
  role: text,
  banned: maybe(z.union([z.boolean(), z.number().transform(Boolean)])),
  banExpires: time,
  twoFactorEnabled: flag,
  createdAt: time,
});
const account = z.object({ userId: z.string(), providerId: z.string(), password: text });

/** Better Auth has no export of its own: both tables, as `{ "user": [...], "account": [...] }`. */
export const readBetterAuth: ReadFormat = (document, { now }) => {
  const accounts = Map.groupBy(
    listIn(z.record(z.string(), z.unknown()).safeParse(document).data, 'account', 'accounts').flatMap(
      (entry) => account.safeParse(entry).data ?? [],
    ),
    ({ userId }) => userId,
  );
  return readEntries(listIn(document, 'user', 'users'), user, (entry) => {
    const own = accounts.get(entry.id) ?? [];
    const named = namesOf(entry.email, entry.displayUsername ?? entry.username);
    const isBanned = entry.banned === true && (entry.banExpires === null || Date.parse(String(entry.banExpires)) > now);
    return {
      fields: {
        id: idOf('better-auth', entry.id),
        ...named.fields,
        email_verified: entry.emailVerified,
        name: entry.name,
        phone_number: entry.phoneNumber,
        password_hash: own.find(({ providerId }) => providerId === 'credential')?.password ?? null,
        disabled: isBanned,
        created_at: typeof entry.createdAt === 'number' ? isoOf(entry.createdAt) : entry.createdAt?.replace(' ', 'T'),
      },
      // The plugin writes several with commas.
      roles: entry.role?.split(',') ?? [],
      notes: [
        ...named.notes,
        ...providerNotes(own.map(({ providerId }) => providerId).filter((provider) => provider !== 'credential')),
        ...(entry.twoFactorEnabled === true
          ? [note('twoFactorEnabled', 'Not imported. The user signs in with the password alone')]
          : []),
      ],
    };
  });
};
