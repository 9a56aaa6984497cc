import { decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { readSigningKeys } from '../../src/tokens/store.ts';
import { registerUser, type TestApp, testApp } from '../support/test-app.ts';

const quick = { SIGNING_KEY_TERM: '3600', SIGNING_KEY_LEAD: '600' };
const kidOf = (token: string) => decodeProtectedHeader(token).kid ?? '';
const kidsOf = async ({ request }: TestApp): Promise<string[]> =>
  (await request('GET', '/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid);
const isGood = async ({ request }: TestApp, token: string) =>
  (await request('GET', '/auth/verify-token', { token })).status === 200;
/** Another isolate of the same service. */
const beside = ({ databaseUrl, clock }: TestApp, variables: Readonly<Record<string, string>>) =>
  testApp({ databaseUrl, clock, variables });

describe('a change of AUTH_SECRET', () => {
  const [oldSecret, newSecret] = ['old-secret-'.repeat(4), 'new-secret-'.repeat(4)];
  const withOld = { ...quick, AUTH_SECRET: oldSecret };
  const withBoth = { ...quick, AUTH_SECRET: `${newSecret},${oldSecret}` };
  const withNew = { ...quick, AUTH_SECRET: newSecret };

  it('leaves the key that signs in place while the old secret stays behind the new one', async () => {
    const before = await testApp({ variables: withOld });
    const during = await beside(before, withBoth);
    const tokens = [(await registerUser(before)).access, (await registerUser(during)).access];
    expect(new Set(tokens.map(kidOf)).size).toBe(1);
    for (const app of [before, during]) for (const token of tokens) expect(await isGood(app, token)).toBe(true);
    expect(await readSigningKeys(before.deps.db)).toHaveLength(1);
  });

  it('makes a new key when the old secret is gone; tokens of the old one stay good', async () => {
    const before = await testApp({ variables: withOld });
    const old = await registerUser(before);
    const apps = await Promise.all([1, 2, 3].map(() => beside(before, withNew)));
    const users = await Promise.all(apps.map((app) => registerUser(app)));
    expect(new Set(users.map(({ access }) => kidOf(access))).size).toBe(1);
    expect(kidOf(users[0]?.access ?? '')).not.toBe(kidOf(old.access));
    expect(apps[0]?.logLines.join()).toContain('"event":"signing_keys_not_opened"');
    for (const app of apps) {
      expect(await kidsOf(app)).toEqual([kidOf(old.access), kidOf(users[0]?.access ?? '')]);
      for (const { access } of [old, ...users]) expect(await isGood(app, access)).toBe(true);
    }
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

  it('keeps a key that had to give way at once until the tokens of those who had not heard of it have expired', async () => {
    const unaware = await testApp({ variables: withBoth });
    const old = await testApp({ variables: withOld, databaseUrl: unaware.databaseUrl, clock: unaware.clock });
    await registerUser(old);
    const { refresh } = await registerUser(unaware);
    const hasty = await beside(unaware, withNew);
    await registerUser(hasty);
    unaware.clock.advance(149);
    const { body } = await unaware.request('POST', '/auth/refresh', { body: { refresh_token: refresh } });
    expect(kidOf(body.access_token)).toBe((await kidsOf(hasty))[0]);
    for (let passed = 0; passed <= 900; passed += 50) {
      await hasty.app.runScheduled();
      expect(await isGood(hasty, body.access_token), `${passed} s`).toBe(true);
      unaware.clock.advance(50);
    }
  });

  it('is understood by an isolate that meets a token of the new key first', async () => {
    const both = await testApp({ variables: withBoth });
    const old = await testApp({ variables: withOld, databaseUrl: both.databaseUrl, clock: both.clock });
    await registerUser(old);
    await registerUser(both);
    both.clock.advance(10);
    const { access } = await registerUser(await beside(both, withNew));
    expect(await isGood(both, access)).toBe(true);
    expect(await isGood(old, access)).toBe(true);
  });
});
