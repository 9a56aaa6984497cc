import { decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { refuseWrongSecret, WrongSecret } from '../../src/tokens/secret-guard.ts';
import { readSigningKeys } from '../../src/tokens/store.ts';
import { olderSecret, testSecret } from '../support/secret.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const quick = { SIGNING_KEY_TERM: '3600', SIGNING_KEY_LEAD: '600' };
const kidOf = (token: string) => decodeProtectedHeader(token).kid ?? '';
const kidsOf = async ({ request }: TestApp): Promise<string[]> =>
  (await request('GET', '/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid);
const isGood = async ({ request }: TestApp, token: string) =>
  (await request('GET', '/auth/verify-token', { token })).status === 200;
/** Another isolate of the same service. */
const beside = ({ databaseUrl, clock }: TestApp, variables: Readonly<Record<string, string>>) =>
  testApp({ databaseUrl, clock, variables });

const withOld = { ...quick, AUTH_SECRET: olderSecret };
const withBoth = { ...quick, AUTH_SECRET: testSecret, AUTH_SECRET_PREVIOUS: olderSecret };
const withNew = { ...quick, AUTH_SECRET: testSecret };
const refresh = async ({ request }: TestApp, token: string) =>
  (await request('POST', '/auth/refresh', { body: { refresh_token: token } })).status;

describe('a change of AUTH_SECRET', () => {
  it('leaves the key that signs in place while the old secret is named as the previous one', async () => {
    const before = await testApp({ variables: withOld });
    const during = await beside(before, withBoth);
    const tokens = [(await registerUser(before)).access, (await registerUser(during)).access];
    expect(new Set(tokens.map(kidOf)).size).toBe(1);
    for (const app of [before, during]) for (const token of tokens) expect(await isGood(app, token)).toBe(true);
    expect(await readSigningKeys(before.deps.db)).toHaveLength(1);
  });

  it('kills at once what the old secret signed, and still opens and finds what it sealed', async () => {
    const before = await testApp({ variables: withOld });
    const ann = await registerUser(before);
    const during = await beside(before, withBoth);
    expect(await refresh(during, ann.refresh)).toBe(401);
    const login = await during.request('POST', '/auth/login', { body: { identifier: ann.email, password } });
    expect(login.status).toBe(200);
    expect(login.body.user).toMatchObject({ id: ann.id, email: ann.email });
    expect(await refresh(during, login.body.refresh_token)).toBe(200);
  });

  it('takes no device of the old secret for a known one', async () => {
    const numbers = { LOCKOUT_ACCOUNT_ADDRESS: '2/600/600/3600' };
    const before = await testApp({ variables: { ...withOld, ...numbers } });
    const { email } = await registerUser(before);
    const body = { identifier: email, password };
    const signedIn = await before.request('POST', '/auth/login', { body });
    const device = { 'X-Device-Token': signedIn.headers.get('X-Device-Token') ?? '' };
    /** The status of a right password with that device, after strangers at its address have locked the account. */
    const tryWith = async (variables: Readonly<Record<string, string>>) => {
      const app = await beside(before, { ...variables, ...numbers });
      const wrong = { identifier: email, password: 'wrong password' };
      for (let times = 0; times < 3; times += 1) await app.request('POST', '/auth/login', { body: wrong });
      return (await app.request('POST', '/auth/login', { body, headers: device })).status;
    };
    expect(await tryWith(withBoth)).toBe(429);
    const until = { AUTH_SECRET_PREVIOUS_UNTIL: new Date(before.clock.now() + 1000).toISOString() };
    expect(await tryWith({ ...withBoth, ...until })).toBe(200);
  });

  it('lets what the old secret signed live until a date, and not a moment longer', async () => {
    const before = await testApp({ variables: withOld });
    const [ann, bob] = [await registerUser(before), await registerUser(before)];
    const until = { AUTH_SECRET_PREVIOUS_UNTIL: new Date(before.clock.now() + 60_000).toISOString() };
    const during = await beside(before, { ...withBoth, ...until });
    expect(await refresh(during, ann.refresh)).toBe(200);
    before.clock.advance(60);
    expect(await refresh(during, bob.refresh)).toBe(401);
  });

  it('can go through replicas one by one, when each first learns of the new secret', async () => {
    const until = { AUTH_SECRET_PREVIOUS_UNTIL: '2099-01-01' };
    const told = { ...quick, AUTH_SECRET: olderSecret, AUTH_SECRET_PREVIOUS: testSecret, ...until };
    const first = await testApp({ variables: told });
    const second = await beside(first, { ...withBoth, ...until });
    const { email, refresh: token } = await registerUser(second);
    expect(await refresh(first, token)).toBe(200);
    expect((await first.request('POST', '/auth/login', { body: { identifier: email, password } })).status).toBe(200);
  });

  it('uses the key that is published next, where it can be opened and the present one cannot', async () => {
    const before = await testApp({ variables: withOld });
    const { access } = await registerUser(before);
    before.clock.advance(3000);
    await (await beside(before, withBoth)).app.runScheduled();
    const [, next] = await kidsOf(await beside(before, withBoth));
    const after = await beside(before, withNew);
    expect(kidOf((await registerUser(after)).access)).toBe(next);
    expect(kidOf(access)).not.toBe(next);
    expect(await readSigningKeys(after.deps.db)).toHaveLength(2);
  });
});

describe('a secret that opens no signing key of the database', () => {
  it('is refused, and so is one that is not the newest but opens none either', async () => {
    const before = await testApp({ variables: withOld });
    await registerUser(before);
    const { db } = before.deps;
    const guard = async (variables: Readonly<Record<string, string>>) =>
      await refuseWrongSecret({ db, keyring: (await beside(before, variables)).deps.keyring });
    await expect(guard(withOld)).resolves.toBeUndefined();
    await expect(guard(withBoth)).resolves.toBeUndefined();
    await expect(guard(withNew)).rejects.toThrow(WrongSecret);
    const third = 'SDWgwM92jL13sdvEZPrAhbKtIzc18dfvKAxHeHxnvLQ=';
    await expect(guard({ ...withNew, AUTH_SECRET_PREVIOUS: third })).rejects.toThrow(WrongSecret);
  });

  it('is right for a database that has not served yet', async () => {
    const { deps } = await testApp({ keyless: true });
    await expect(refuseWrongSecret(deps)).resolves.toBeUndefined();
  });

  it('signs nothing and makes no key of its own, should a service run with it', async () => {
    const before = await testApp({ variables: withOld });
    const { email } = await registerUser(before);
    const wrong = await beside(before, withNew);
    const { status, headers } = await wrong.request('POST', '/auth/register', { body: { email, password } });
    expect([status, headers.get('Retry-After')]).toEqual([503, '30']);
    expect(wrong.logLines.join()).toContain('"event":"wrong_secret"');
    await wrong.app.runScheduled();
    expect(await readSigningKeys(before.deps.db)).toHaveLength(1);
  });
});
