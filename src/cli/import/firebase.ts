import * as z from 'zod';
import {
  FormatError,
  type FormatOptions,
  flag,
  idOf,
  isoOf,
  listIn,
  maybe,
  noPlaceFor,
  note,
  providerNotes,
  type ReadFormat,
  readEntries,
  text,
} from './format.ts';

/** What `firebase auth:export users.json --format=json` writes. */
const user = z.object({
  localId: z.string(),
  email: text,
  emailVerified: flag,
  passwordHash: text,
  salt: text,
  displayName: text,
  phoneNumber: text,
  disabled: flag,
  createdAt: maybe(z.union([z.string(), z.number()]).transform(Number)),
  customAttributes: text,
  providerUserInfo: maybe(z.array(z.object({ providerId: z.string() }))),
  mfaInfo: maybe(z.array(z.unknown())),
});

const claims = z.looseObject({ roles: z.array(z.string()).optional(), role: z.string().optional() });

/** Firebase Authentication: each hash needs the parameters of the project, which the export does not hold. */
export const readFirebase: ReadFormat = (document, options) => {
  const entries = listIn(document, 'users');
  const hash = hashWriter(options);
  return readEntries(entries, user, (entry) => {
    if (entry.email === null)
      return { refused: 'Has no email address. Firebase knows this user by a phone number, or anonymously' };
    const providers = (entry.providerUserInfo ?? []).map(({ providerId }) => providerId);
    const { roles = [], role, ...others } = claimsOf(entry.customAttributes);
    return {
      fields: {
        id: idOf('firebase', entry.localId),
        email: entry.email,
        email_verified: entry.emailVerified,
        name: entry.displayName,
        phone_number: entry.phoneNumber,
        password_hash: entry.passwordHash === null ? null : hash(entry.passwordHash, entry.salt ?? ''),
        disabled: entry.disabled,
        created_at: isoOf(entry.createdAt),
      },
      roles: [...roles, ...(role === undefined ? [] : [role])],
      notes: [
        ...providerNotes(providers.filter((provider) => provider !== 'password' && provider !== 'phone')),
        ...noPlaceFor('customAttributes', Object.keys(others), 'Not imported'),
        ...((entry.mfaInfo ?? []).length === 0
          ? []
          : [note('mfaInfo', 'Not imported. The user signs in with the password alone')]),
      ],
    };
  });
};

/** @throws {FormatError} at the first hash, where the parameters are not at hand */
function hashWriter({ hashConfig }: FormatOptions): (hash: string, salt: string) => string {
  const parameters = new Map(
    [...(hashConfig ?? '').matchAll(/\b(\w+)["']?\s*[:=]\s*["']?([\w+/=-]+)/g)].map(([, name, value]) => [name, value]),
  );
  const key = parameters.get('base64_signer_key');
  const separator = parameters.get('base64_salt_separator');
  const [rounds, memory] = [parameters.get('rounds'), parameters.get('mem_cost')];
  return (hash, salt) => {
    if (key === undefined || separator === undefined || rounds === undefined || memory === undefined) {
      const where = 'Authentication > Users > Password hash parameters in the console of Firebase';
      throw new FormatError(
        `Firebase's hashes need the parameters of the project. Save the text under ${where} in a file, and name it with --hash-config`,
      );
    }
    return `$firescrypt$ln=${memory},r=${rounds},p=1$${salt}$${hash}$${separator}$${key}`;
  };
}

function claimsOf(json: string | null): z.output<typeof claims> {
  try {
    return claims.parse(JSON.parse(json ?? '{}'));
  } catch {
    return {};
  }
}
