import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kindOf } from '../../src/accounts/identifier.ts';
import { normaliseAnyName, normaliseUsername } from '../../src/accounts/username.ts';
import { password, type TestApp, testApp } from '../support/test-app.ts';

/** Characters that change with case, with NFKC, or that show nothing, among all others. */
const odd = fc.constantFrom(
  ' ',
  '\u00a0',
  '\u200d',
  '\ufe0f',
  '\u0301',
  '\u0345',
  'İ',
  'Σ',
  'ẞ',
  '\ufdfa',
  '´',
  '@',
  '.',
  'a',
);
const character = fc.oneof(odd, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }));
const text = fc.array(character, { maxLength: 12 }).map((characters) => characters.join(''));

it('a name is one name, however often it is normalised, and never an email', () => {
  fc.assert(
    fc.property(text, (typed) => {
      const name = normaliseAnyName(typed);
      if (name === undefined) return;
      expect(normaliseAnyName(name.username)).toEqual(name);
      expect(normaliseAnyName(name.key)?.key).toBe(name.key);
      expect(kindOf(typed)).toBe('username');
    }),
    { numRuns: 2000 },
  );
});

it('a username of our own has the same key among names of any kind', () => {
  const letters = fc.string({ unit: 'grapheme', maxLength: 8 });
  fc.assert(
    fc.property(fc.oneof(letters, text), (typed) => {
      const name = normaliseUsername(typed);
      if (name !== undefined) expect(normaliseAnyName(typed)).toEqual(name);
    }),
    { numRuns: 2000 },
  );
});

describe('a username that looks like another one', () => {
  const register = (app: TestApp, username: string) =>
    app.request('POST', '/auth/register', { body: { username, password } });

  it.each([
    ['росо', 'poco'],
    ['соса', 'coca'],
  ])('is refused once the other is taken: %s, then %s', async (first, second) => {
    const app = await testApp();
    expect((await register(app, first)).status).toBe(201);
    expect(await register(app, second)).toMatchObject({ status: 409, body: { errors: [{ path: 'username' }] } });
    const login = { body: { username: second, password } };
    // It signs in where it is the same name in another spelling, and nowhere else.
    const isSame = first.normalize('NFKC') === second.normalize('NFKC');
    expect((await app.request('POST', '/auth/login', login)).status).toBe(isSame ? 200 : 401);
  });

  it.each([
    ...['аnnіka', 'oльга', 'e\u0308лка', 'ВOB', 'Нelp-me', 'Ꭺnna', 'ꓮnna', 'ⲟoo', 'paypa\u01c0', 'g൦൦gle', 'gοοgle'],
    ...['ВОВ', 'ТОМ', 'ΜΑΧ'],
  ])('is refused where it mixes scripts, or its capitals pose as Latin ones: %s', async (username) => {
    const app = await testApp();
    expect(await register(app, username)).toMatchObject({ status: 422, body: { errors: [{ path: 'username' }] } });
  });

  it('is one of its own where it can be told apart', async () => {
    const app = await testApp();
    const others = ['Вова', 'Анна', 'Μαρία', '山田Taro', '김철수', 'ไทย', 'אבג', 'محمد', 'नमस्ते', 'Ian-1', '李明'];
    for (const name of ['resume', 'résumé', 'ольга', 'olga', 'bob0', 'bobo', ...others])
      expect((await register(app, name)).status, name).toBe(201);
  });

  it('is refused for a registration that waits, too', async () => {
    const variables = { REQUIRE_EMAIL_VERIFICATION: 'true', MAILBOX_URL: 'http://mailbox.test' };
    const lax = await testApp();
    await register(lax, 'росо');
    const app = await testApp({ variables, databaseUrl: lax.databaseUrl, clock: lax.clock });
    const body = { username: 'poco', email: 'other@example.com', password };
    expect((await app.request('POST', '/auth/register', { body })).status).toBe(409);
  });
});

it('a reserved username, or one that looks like it, is for nobody to register with', async () => {
  const app = await testApp({ variables: { RESERVED_USERNAMES: 'root, Acme, help' } });
  for (const username of ['root', 'ROOT', 'rооt', 'acme', 'асmе', 'ROOΤ', 'HeIp', 'Нelp', 'АСМЕ']) {
    const { status, body } = await app.request('POST', '/auth/register', { body: { username, password } });
    expect([status, body.errors?.[0]?.path]).toEqual([422, 'username']);
  }
  const free = { body: { username: 'admin', password } };
  expect((await app.request('POST', '/auth/register', free)).status).toBe(201);
  expect((await (await testApp()).request('POST', '/auth/register', free)).status).toBe(422);
});
