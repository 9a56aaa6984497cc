import * as z from 'zod';
import type { LineProblem } from '../../accounts/import-schema.ts';
import {
  flag,
  isoOf,
  listIn,
  maybe,
  namesOf,
  noPlaceFor,
  note,
  providerNotes,
  type ReadFormat,
  readEntries,
  text,
} from './format.ts';

const names = maybe(z.array(z.string()));
const lists = maybe(z.record(z.string(), z.array(z.string())));

/** `UserRepresentation` of Keycloak's Admin REST API, which a realm's export consists of. */
const user = z.object({
  id: text,
  username: text,
  email: text,
  emailVerified: flag,
  firstName: text,
  lastName: text,
  enabled: flag,
  createdTimestamp: maybe(z.number()),
  attributes: lists,
  credentials: maybe(z.array(z.object({ type: text, secretData: text, credentialData: text }))),
  requiredActions: names,
  realmRoles: names,
  clientRoles: lists,
  groups: names,
  federationLink: text,
  federatedIdentities: maybe(z.array(z.object({ identityProvider: z.string() }))),
  serviceAccountClientId: text,
});
type User = z.output<typeof user>;

const secretData = z.object({ value: z.string(), salt: z.string() });
const credentialData = z.object({
  algorithm: z.string(),
  hashIterations: z.number(),
  additionalParameters: lists,
});
/** Attributes that are fields here. */
const known: ReadonlySet<string> = new Set(['locale', 'phoneNumber', 'phone_number']);
/** Everybody has them there. */
const builtIn = /^(?:default-roles-.*|offline_access|uma_authorization)$/;
const digests: Readonly<Record<string, string>> = {
  pbkdf2: 'sha1',
  'pbkdf2-sha256': 'sha256',
  'pbkdf2-sha512': 'sha512',
};

/** A realm's export, of one file or of `kc.sh export --users`, or a list of users of the Admin API. */
export const readKeycloak: ReadFormat = (document) =>
  readEntries(listIn(document, 'users'), user, (entry) => {
    if (entry.serviceAccountClientId !== null) return { refused: 'A service account, not a user' };
    const attributes = entry.attributes ?? {};
    const first = (name: string) => attributes[name]?.[0] ?? null;
    const password = passwordOf(entry);
    const named = namesOf(entry.email, entry.username);
    const others = (entry.credentials ?? []).flatMap(({ type }) =>
      type === null || type === 'password' ? [] : [type],
    );
    return {
      fields: {
        id: entry.id,
        ...named.fields,
        email_verified: entry.emailVerified === true && !(entry.requiredActions ?? []).includes('VERIFY_EMAIL'),
        name: entry.firstName,
        surname: entry.lastName,
        phone_number: first('phoneNumber') ?? first('phone_number'),
        locale: first('locale'),
        password_hash: password.hash,
        disabled: entry.enabled === false,
        created_at: isoOf(entry.createdTimestamp),
      },
      roles: [...(entry.realmRoles ?? []).filter((role) => !builtIn.test(role)), ...(entry.groups ?? [])],
      notes: [
        ...named.notes,
        ...password.notes,
        ...noPlaceFor('credentials', others, 'Not imported. The user signs in with the password alone'),
        ...noPlaceFor(
          'attributes',
          Object.keys(attributes).filter((name) => !known.has(name)),
          'Not imported',
        ),
        ...noPlaceFor('clientRoles', Object.keys(entry.clientRoles ?? {}), 'Client roles are not imported'),
        ...actionNotes(entry.requiredActions ?? []),
        ...providerNotes((entry.federatedIdentities ?? []).map(({ identityProvider }) => identityProvider)),
        ...(entry.federationLink === null
          ? []
          : [note('federationLink', 'Another directory holds the password. The user can set one by mail')]),
      ],
    };
  });

function actionNotes(actions: readonly string[]): LineProblem[] {
  const told = new Set(['UPDATE_PASSWORD', 'VERIFY_EMAIL']);
  const verify = actions.includes('VERIFY_EMAIL')
    ? [note('requiredActions', 'VERIFY_EMAIL: The address counts as not verified')]
    : [];
  return [
    ...verify,
    ...noPlaceFor(
      'requiredActions',
      actions.filter((action) => !told.has(action)),
      'Not imported',
    ),
  ];
}

/** The hash as a string that `crypto/legacy` reads. */
function passwordOf({ credentials, requiredActions }: User): { hash: string | null; notes: LineProblem[] } {
  if ((requiredActions ?? []).includes('UPDATE_PASSWORD')) {
    return {
      hash: null,
      notes: [note('requiredActions', 'UPDATE_PASSWORD: Comes without a password, and sets a new one by mail')],
    };
  }
  const found = (credentials ?? []).find(({ type }) => type === 'password');
  if (found === undefined) return { hash: null, notes: [] };
  const secret = secretData.safeParse(parsed(found.secretData)).data;
  const data = credentialData.safeParse(parsed(found.credentialData)).data;
  if (secret === undefined || data === undefined)
    return { hash: null, notes: [note('credentials', 'The password is unreadable')] };
  const digest = digests[data.algorithm];
  if (digest !== undefined) {
    return { hash: `$pbkdf2-${digest}$i=${data.hashIterations}$${secret.salt}$${secret.value}`, notes: [] };
  }
  if (data.algorithm === 'argon2') return { hash: argon2Of(secret, data), notes: [] };
  // A provider of one's own, such as bcrypt: the value is then a string that says so itself.
  return { hash: secret.value, notes: [] };
}

function argon2Of({ value, salt }: z.output<typeof secretData>, data: z.output<typeof credentialData>): string {
  const parameter = (name: string, otherwise: string) => data.additionalParameters?.[name]?.[0] ?? otherwise;
  const version = parameter('version', '1.3') === '1.0' ? 16 : 19;
  const numbers = `m=${parameter('memory', '7168')},t=${data.hashIterations},p=${parameter('parallelism', '1')}`;
  return `$argon2${parameter('type', 'id')}$v=${version}$${numbers}$${salt}$${value}`;
}

function parsed(json: string | null): unknown {
  try {
    return JSON.parse(json ?? '');
  } catch {
    return undefined;
  }
}
