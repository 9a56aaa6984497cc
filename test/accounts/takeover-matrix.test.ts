import { sql } from 'drizzle-orm';
import { beforeAll, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { runtime } from '#test-runtime';
import { importUsers } from '../../src/accounts/import.ts';
import { importedUser } from '../../src/accounts/import-schema.ts';
import { createAdmin } from '../../src/admin/create-admin.ts';
import { registerAdmin } from '../support/admin.ts';
import { secretsIn } from '../support/mail.ts';
import { createDatabase, type TestApp, testApp } from '../support/test-app.ts';
import { type Row, rows } from './takeover-rows.ts';

/** The three who may know a password: the owner from before, whoever typed the address, and the holder of the mailbox. */
const passwords = {
  owner: 'the password of the owner',
  typed: 'what somebody typed for it',
  chosen: 'chosen by the mailbox now',
};
type Whose = keyof typeof passwords;

let strict: TestApp;
let lax: TestApp;
let admin: { access: string };
let hashes: Record<Whose, string>;

beforeAll(async () => {
  const limits = Object.fromEntries(
    ['REGISTER_ADDRESS', 'MAIL_ADDRESS', 'LOGIN_ADDRESS', 'PROOF_ADDRESS', 'WRITE_USER', 'READ_USER'].map((name) => [
      `LIMIT_${name}`,
      '100000/60',
    ]),
  );
  const databaseUrl = await createDatabase();
  lax = await testApp({ databaseUrl, variables: limits });
  const required = { REQUIRE_EMAIL_VERIFICATION: 'true', MAILBOX_URL: 'http://mailbox.test' };
  strict = await testApp({ databaseUrl, clock: lax.clock, variables: { ...limits, ...required } });
  admin = await registerAdmin(lax);
  const hash = (whose: Whose) => lax.deps.hasher.hash(passwords[whose]);
  hashes = { owner: await hash('owner'), typed: await hash('typed'), chosen: await hash('chosen') };
  return async () => {
    await strict.close();
    await lax.close();
  };
});

const post = ({ request }: TestApp, path: string, body: object, token?: string) =>
  request('POST', path, { body, token });
const change = (email: string, set: ReturnType<typeof sql>) =>
  idAt(email).then((id) => lax.deps.db.execute(sql`update users set ${set} where id = ${id}::uuid`));

async function importOne(user: object): Promise<void> {
  const rules = importedUser({
    pepperIds: lax.deps.keyring.all.map(({ id }) => id),
    roles: ['user', 'admin'],
    now: lax.clock.now(),
  });
  await importUsers(lax.deps, [rules.parse(user)], false);
}

/** Who has the address, as an admin sees it. */
async function idAt(email: string): Promise<string | undefined> {
  const { body } = await post(lax, '/admin/users/search', { email }, admin.access);
  return z.array(z.object({ id: z.string() })).parse(body.items)[0]?.id;
}

const registerLax = (email: string, password: string) => post(lax, '/auth/register', { email, password });

/** What stands at the address before anybody types it. */
const stands: Readonly<Record<string, (email: string) => Promise<unknown>>> = {
  nothing: async () => undefined,
  'a registration that waits': (email) => post(strict, '/auth/register', { email, password: passwords.owner }),
  'an unverified account': (email) => registerLax(email, passwords.owner),
  'an unverified account without a password': async (email) => {
    await registerLax(email, passwords.owner);
    await change(email, sql`password_hash = null`);
  },
  'an unverified admin': async (email) => {
    await registerLax(email, passwords.owner);
    await change(email, sql`roles = '{admin,user}'`);
  },
  'an imported account': (email) =>
    importOne({ email, password_hash: hashes.owner, roles: ['user', 'admin'], email_verified: false }),
  'an imported account without a password': (email) => importOne({ email }),
  'an account by an admin': (email) => post(lax, '/admin/users', { email, password: passwords.owner }, admin.access),
  'an account by an admin without a password': (email) => post(lax, '/admin/users', { email }, admin.access),
  'an account by create-admin --mail': async (email) =>
    createAdmin(lax.deps, {
      email: { address: email, key: email },
      username: null,
      askPassword: async () => undefined,
    }),
  'a verified account': async (email) => {
    await registerLax(email, passwords.owner);
    await change(email, sql`email_verified_at = now()`);
  },
  'a disabled account': async (email) => {
    await registerLax(email, passwords.owner);
    await change(email, sql`email_verified_at = now(), status = 'disabled'`);
  },
};

/** Who types the address, and what they are told. */
const types: Readonly<Record<string, (email: string) => Promise<number | string>>> = {
  'a registrant': async (email) =>
    (await post(strict, '/auth/register', { email, password: passwords.typed, username: `m-${crypto.randomUUID()}` }))
      .status,
  'a registrant, unverified': async (email) => (await registerLax(email, passwords.typed)).status,
  'an import': async (email) => {
    const before = await idAt(email);
    await importOne({ email, password_hash: hashes.typed });
    return before === (await idAt(email)) ? 'left out' : 'imported';
  },
  'an admin': async (email) =>
    (await post(lax, '/admin/users', { email, password: passwords.typed }, admin.access)).status,
  'create-admin': (email) =>
    createAdmin(lax.deps, {
      email: { address: email, key: email },
      username: null,
      askPassword: async () => passwords.typed,
    }),
  'another user': async (email) => {
    const { body } = await registerLax(`other-${crypto.randomUUID()}@example.com`, passwords.typed);
    return (await post(strict, '/users/change-email', { email }, body.access_token)).status;
  },
};

/** Presses the button of the newest mail to the address. */
async function press(email: string, mails: TestApp['mails']): Promise<void> {
  const { text } = mails.findLast(({ to }) => to === email) ?? { text: '' };
  const path = /https:\/\/auth\.test\/([a-z-]+)#token=/.exec(text)?.[1];
  if (path === undefined) return;
  const { token } = secretsIn({ text });
  const isPassword = path === 'reset-password' || path === 'choose-password';
  const api = isPassword ? 'reset-password' : path === 'confirm-registration' ? 'verify-email' : path;
  await post(strict, `/auth/${api}`, { token, ...(isPassword ? { password: passwords.chosen } : {}) });
}

async function reset(email: string): Promise<void> {
  const before = strict.mails.length;
  await post(strict, '/auth/forgot-password', { email });
  await press(email, strict.mails.slice(before));
}

/** Which passwords sign in with the address, and whose account has it. */
async function outcome(email: string, stood: string | undefined): Promise<string> {
  const ways: string[] = [];
  for (const whose of Object.keys(passwords)) {
    if (whose !== 'owner' && whose !== 'typed' && whose !== 'chosen') continue;
    const { status, body } = await post(strict, '/auth/login', { email, password: passwords[whose] });
    if (status === 200) ways.push(`${whose}${body.user.roles.includes('admin') ? ' as an admin' : ''}`);
    if (status === 403) ways.push(`${whose} once it is verified`);
  }
  const now = await idAt(email);
  const whose = now === undefined ? 'nobody' : now === stood ? 'the same account' : 'a new account';
  return `${whose}${ways.length === 0 ? ', no password' : `: ${ways.join(', ')}`}`;
}

async function run(typed: string, stood: string, way: 'press' | 'reset') {
  const email = `holder-${crypto.randomUUID()}@example.com`;
  await stands[stood]?.(email);
  const id = await idAt(email);
  const [fromLax, fromStrict] = [lax.mails.length, strict.mails.length];
  const answer = String(await types[typed]?.(email));
  const mails = [...lax.mails.slice(fromLax), ...strict.mails.slice(fromStrict)].filter(({ to }) => to === email);
  if (way === 'press') await press(email, mails);
  else await reset(email);
  const mail = mails.at(-1)?.subject.replace(/ (for|at) Edge Auth$/, '') ?? 'no mail';
  return { answer, mail, outcome: await outcome(email, id) };
}

async function both({ typed, stands: stood }: Row): Promise<Row> {
  const [pressed, asked] = await Promise.all([run(typed, stood, 'press'), run(typed, stood, 'reset')]);
  const { answer, mail } = pressed;
  return { typed, stands: stood, answer, mail, pressed: pressed.outcome, reset: asked.outcome };
}

it('covers everybody who types an address, and everything that stands there', () => {
  const all = Object.keys(types).flatMap((typed) => Object.keys(stands).map((stood) => `${typed}, ${stood}`));
  expect(rows.map(({ typed, stands: stood }) => `${typed}, ${stood}`).toSorted()).toEqual(all.toSorted());
});

it.each(Object.keys(types))('what %s types for an address changes no account of somebody else', async (typed) => {
  // Hashing takes its time in WebAssembly: every row runs there with `TEST_THOROUGH`, which the check sets.
  const isWhole = runtime.name === 'node' || inject('isThorough');
  const expected = rows.filter((row) => row.typed === typed).filter((_, index) => isWhole || index % 4 === 2);
  expect(await Promise.all(expected.map(both))).toEqual(expected);
});

it('what was typed signs in to no account that stood there, unless the operator typed it', () => {
  const taken = rows.filter(({ typed, pressed, reset: after }) => {
    const stood = [pressed, after].filter((text) => text.startsWith('the same account'));
    return typed !== 'create-admin' && stood.some((text) => text.includes('typed'));
  });
  expect(taken).toEqual([]);
});
