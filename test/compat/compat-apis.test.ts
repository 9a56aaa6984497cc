import { describe, expect, it } from 'vitest';
import { compatApis } from '../../src/compat/apis.ts';
import { compatNames } from '../../src/compat/names.ts';
import { readConfig } from '../../src/config.ts';
import { testSecret } from '../support/secret.ts';
import { createDatabase, password, type TestApp, testApp } from '../support/test-app.ts';

const rowsOf = (names: readonly (typeof compatNames)[number][]) => names.flatMap((name) => compatApis[name].rows);

/** Which of the rows are answered, and which of them are described. */
async function answered({ request }: TestApp, rows: ReturnType<typeof rowsOf>) {
  const { body: document } = await request('GET', '/openapi.json');
  const found = await Promise.all(
    rows.map(async ({ method, path }) => {
      const target = path.replace('{id}', crypto.randomUUID());
      const { status } = await request(method.toUpperCase(), target);
      return { path, isAnswered: status !== 404, isDescribed: document.paths[path]?.[method]?.deprecated === true };
    }),
  );
  return found;
}

describe('COMPAT_APIS', () => {
  it('says which older APIs are on: all where it is not set, none where it is empty or says so', () => {
    const complete = { AUTH_SECRET: testSecret, ISSUER: 'https://auth.test' };
    const read = (variables: Record<string, string>) =>
      readConfig({ ...complete, DATABASE_URL: 'postgres://u:p@host/d', ...variables }).compatApis;
    expect(read({})).toEqual(compatNames);
    expect(read({ COMPAT_APIS: 'flask, api-v1 flask' })).toEqual(['flask', 'api-v1']);
    for (const COMPAT_APIS of ['', ' ', 'none']) expect(read({ COMPAT_APIS })).toEqual([]);
    expect(() => read({ COMPAT_APIS: 'canary' })).toThrow(/^Invalid configuration\. COMPAT_APIS: Expected names among/);
  });

  it('turns their paths off, which are then neither answered nor described', async () => {
    const databaseUrl = await createDatabase();
    const all = await answered(await testApp({ databaseUrl }), rowsOf(compatNames));
    expect(all.length).toBe(29);
    expect(all.filter(({ isAnswered, isDescribed }) => !(isAnswered && isDescribed))).toEqual([]);

    const none = await testApp({ databaseUrl, variables: { COMPAT_APIS: '' } });
    const left = await answered(none, rowsOf(compatNames));
    expect(left.filter(({ isAnswered, isDescribed }) => isAnswered || isDescribed)).toEqual([]);

    const one = await testApp({ databaseUrl, variables: { COMPAT_APIS: 'premier' } });
    const some = (await answered(one, rowsOf(compatNames))).filter(({ isAnswered }) => isAnswered);
    expect(some.map(({ path }) => path)).toEqual(rowsOf(['premier']).map(({ path }) => path));
  });

  it('leaves no path that two of them, or one of them and we, answer differently', async () => {
    const rows = rowsOf(compatNames).map(({ method, path }) => `${method} ${path}`);
    expect(new Set(rows).size).toBe(rows.length);
    const { request } = await testApp({ variables: { COMPAT_APIS: 'none' } });
    const { body } = await request('GET', '/openapi.json');
    expect(Object.keys(body.paths).filter((path) => rowsOf(compatNames).some((row) => row.path === path))).toEqual([]);
  });

  it('answers 405 at an older path for another method', async () => {
    const { request } = await testApp();
    const answer = await request('GET', '/api/v1/auth/login');
    expect(answer.status).toBe(405);
    expect(answer.headers.get('Allow')).toBe('POST');
  });
});

describe('every older way to register', () => {
  it('answers 202 without tokens where addresses are verified first', async () => {
    const { request, mails } = await testApp({
      variables: { REQUIRE_EMAIL_VERIFICATION: 'true', MAILBOX_URL: 'http://localhost:1' },
    });
    for (const path of ['/auth/signup', '/api/v1/auth/signup', '/api/register', '/api/auth/email/register']) {
      const name = path === '/api/register' ? 'login' : 'email';
      const body = { [name]: `user${path.replaceAll('/', '-')}@example.com`, password };
      const answer = await request('POST', path, { body });
      expect(answer.status).toBe(202);
      expect(answer.body).toEqual({ message: expect.any(String) });
    }
    expect(mails).toHaveLength(4);
    const unnamed = await request('POST', '/api/register', { body: { login: 'user', password } });
    expect(unnamed).toMatchObject({ status: 422, body: { errors: [{ path: 'login' }] } });
  });
});
