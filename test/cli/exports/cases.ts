import { join } from 'node:path';

/** Where an export of another system is. */
export const place = (name: string) => join(import.meta.dirname, name);

export interface ExportCase {
  readonly system: string;
  readonly file: string;
  readonly options?: readonly string[];
  readonly out: string;
  readonly notes: readonly string[];
  /** By name and password, and whether they get in. */
  readonly signIns: readonly (readonly [identifier: string, password: string, status: number])[];
  readonly first: Readonly<Record<string, unknown>>;
}

const noProvider = 'This service has no sign-in with other providers. The user can set a password by mail';
export const exportCases: readonly ExportCase[] = [
  {
    system: 'auth0',
    file: 'auth0.json',
    out: '7 lines: 7 imported, 0 already here, 0 refused',
    notes: [
      'user 1: note: metadata: plan: Not imported',
      'user 1: note: roles: admin: Not granted. To grant it, add --role admin=admin',
      'user 5: note: custom_password_hash: A digest without a cost, which protects no password. The user arrives without a password',
      `user 6: note: provider: google-oauth2: ${noProvider}`,
    ],
    signIns: [
      ['bcrypt', 'pässwörd bcrypt', 200],
      ['argon2@auth0.example', 'pässwörd argon2', 200],
      ['pbkdf2@auth0.example', 'pässwörd pbkdf2', 200],
      ['scrypt@auth0.example', 'pässwörd scrypt', 200],
      ['md5@auth0.example', 'x', 401],
      ['blocked@auth0.example', 'pässwörd blocked', 401],
    ],
    first: { email: 'bcrypt@auth0.example', name: 'Ann', surname: 'Lee', roles: ['user', 'editor'] },
  },
  {
    system: 'auth0',
    file: 'auth0-support.ndjson',
    out: '1 line: 1 imported, 0 already here, 0 refused',
    notes: [],
    signIns: [['support@auth0.example', 'pässwörd support', 200]],
    first: { email_verified: false },
  },
  {
    system: 'firebase',
    file: 'firebase.json',
    options: ['--hash-config', place('firebase-hash-config.txt')],
    out: '3 lines: 2 imported, 0 already here, 1 refused',
    notes: [
      'user 1: note: customAttributes: tenant: Not imported',
      `user 1: note: provider: google.com: ${noProvider}`,
      'user 3: Has no email address. Firebase knows this user by a phone number, or anonymously',
    ],
    signIns: [
      ['user@firebase.example', 'pässwörd user', 200],
      ['off@firebase.example', 'pässwörd off', 401],
    ],
    first: { name: 'Ann Lee', phone_number: '+4915112345678', roles: ['user', 'editor'], email_verified: true },
  },
  {
    system: 'supabase',
    file: 'supabase.ndjson',
    out: '4 lines: 2 imported, 0 already here, 2 refused',
    notes: [
      'user 1: note: metadata: theme: Not imported',
      `user 1: note: provider: github: ${noProvider}`,
      'user 3: Deleted in Supabase',
      'user 4: An anonymous user without any way to sign in',
    ],
    signIns: [
      ['bcrypt@supabase.example', 'pässwörd bcrypt', 200],
      ['banned@supabase.example', 'pässwörd banned', 401],
    ],
    first: { phone_number: '+4915112345678', roles: ['user', 'editor'], created_at: '2024-03-01T10:20:30.123Z' },
  },
  {
    system: 'better-auth',
    file: 'better-auth.json',
    out: '3 lines: 3 imported, 0 already here, 0 refused',
    notes: [
      'user 1: note: twoFactorEnabled: Not imported. The user signs in with the password alone',
      'user 2: note: roles: admin: Not granted. To grant it, add --role admin=admin',
      `user 3: note: provider: github: ${noProvider}`,
    ],
    signIns: [
      ['first@better.example', 'pässwörd ﬁrst', 200],
      // Upgraded, and the same in every form.
      ['First', 'pässwörd first', 200],
      ['banned@better.example', 'pässwörd banned', 401],
    ],
    first: { username: 'First', name: 'Ann Lee', roles: ['user', 'editor'] },
  },
  {
    system: 'kratos',
    file: 'kratos.json',
    out: '4 lines: 4 imported, 0 already here, 0 refused',
    notes: [
      'user 1: note: credentials: totp: Not imported. The user signs in with the password alone',
      'user 1: note: traits: newsletter: Not imported',
      `user 4: note: provider: github: ${noProvider}`,
    ],
    signIns: [
      ['argon2@kratos.example', 'pässwörd argon2', 200],
      ['bcrypt@kratos.example', 'pässwörd bcrypt', 200],
      ['pbkdf2', 'pässwörd pbkdf2', 401],
      ['scrypt', 'pässwörd scrypt', 200],
    ],
    first: { id: '9f425a8d-7efc-4768-8f23-7647a74fdf13', email_verified: true, roles: ['user', 'editor'] },
  },
];

/** Keycloak's users, and who gets in: one is disabled, and one has to set a new password first. */
export const keycloakSignIns: ExportCase['signIns'] = [
  ['m-argon2@example.com', 'pässwörd argon2', 200],
  ['m-few@example.com', 'pässwörd few', 401],
  ['m-pbkdf2@example.com', 'pässwörd pbkdf2', 401],
  ['m-pbkdf2-sha256@example.com', 'pässwörd pbkdf2-sha256', 200],
  ['m-pbkdf2-sha512', 'pässwörd pbkdf2-sha512', 200],
  ['no-email', 'pässwörd no-email', 200],
];
