import { decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { listSigningKeys, retireSigningKey, rotateSigningKeys } from '../../src/tokens/key-changes.ts';
import { registerUser, type TestApp, testApp } from '../support/test-app.ts';

const quick = { SIGNING_KEY_TERM: '3600', SIGNING_KEY_LEAD: '600' };
const kidOf = (token: string) => decodeProtectedHeader(token).kid ?? '';
const kidsOf = async ({ request }: TestApp): Promise<string[]> =>
  (await request('GET', '/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid);
const verify = async ({ request }: TestApp, token: string) =>
  (await request('GET', '/auth/verify-token', { token })).status;
/** Another isolate of the same service. */
const beside = ({ databaseUrl, clock }: TestApp) => testApp({ databaseUrl, clock, variables: quick });

describe('rotating the signing keys by hand', () => {
  it('publishes the next key for the whole lead before it signs, once', async () => {
    const app = await testApp({ variables: quick, keyless: true });
    const { access } = await registerUser(app);
    const next = await rotateSigningKeys(app.deps, false);
    expect(next).toMatchObject({ isNew: true, signsFrom: app.clock.now() + 600_000 });
    expect(await rotateSigningKeys(app.deps, false)).toEqual({ ...next, isNew: false });
    const other = await beside(app);
    expect(await kidsOf(other)).toEqual([kidOf(access), next.kid]);
    expect(kidOf((await registerUser(other)).access)).toBe(kidOf(access));
    app.clock.advance(600);
    expect(kidOf((await registerUser(other)).access)).toBe(next.kid);
    expect(await verify(other, access)).toBe(200);
  });

  it('lets it sign at once where that is asked for, and tokens of both are good', async () => {
    const app = await testApp({ variables: quick, keyless: true });
    const { access } = await registerUser(app);
    const next = await rotateSigningKeys(app.deps, true);
    const other = await beside(app);
    const fresh = (await registerUser(other)).access;
    expect(kidOf(fresh)).toBe(next.kid);
    app.clock.advance(10);
    for (const each of [app, other]) {
      for (const token of [access, fresh]) expect(await verify(each, token)).toBe(200);
    }
    expect((await listSigningKeys(app.deps)).map(({ state, opens }) => [state, opens])).toEqual([
      ['published-retired', true],
      ['signing', true],
    ]);
  });
});

describe('retiring a signing key', () => {
  it('takes it out of the JWKS and refuses its tokens, within a minute where it is known already', async () => {
    const app = await testApp({ variables: quick, keyless: true });
    const { access } = await registerUser(app);
    const { kid: next } = await rotateSigningKeys(app.deps, true);
    expect(await retireSigningKey(app.deps, kidOf(access))).toEqual({ replacement: undefined });
    const other = await beside(app);
    expect(await kidsOf(other)).toEqual([next]);
    expect(await verify(other, access)).toBe(401);
    app.clock.advance(60);
    expect(await verify(app, access)).toBe(401);
    expect(await kidsOf(app)).toEqual([next]);
  });

  it('makes another one first where no other can sign', async () => {
    const app = await testApp({ variables: quick, keyless: true });
    const { access } = await registerUser(app);
    const retired = await retireSigningKey(app.deps, kidOf(access));
    const other = await beside(app);
    expect(await kidsOf(other)).toEqual([retired?.replacement]);
    expect(kidOf((await registerUser(other)).access)).toBe(retired?.replacement);
    expect(await verify(other, access)).toBe(401);
  });

  it('says where there is no such key', async () => {
    const app = await testApp({ keyless: true });
    await registerUser(app);
    expect(await retireSigningKey(app.deps, 'unknown')).toBeUndefined();
    expect(await kidsOf(app)).toHaveLength(1);
  });
});

it('new keys have as many bits as they are configured to have', async () => {
  const app = await testApp({ keyless: true, variables: { SIGNING_KEY_BITS: '3072' } });
  await registerUser(app);
  const [key] = (await app.request('GET', '/.well-known/jwks.json')).body.keys;
  expect(key.n).toHaveLength(512);
});
