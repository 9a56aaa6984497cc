import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { readSigningKeys } from '../../src/tokens/store.ts';
import { issuer, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const quick = { SIGNING_KEY_TERM: '3600', SIGNING_KEY_LEAD: '600' };
const kidOf = (token: string) => decodeProtectedHeader(token).kid ?? '';
const jwksOf = (app: TestApp) => app.request('GET', '/.well-known/jwks.json');
const kidsOf = async (app: TestApp): Promise<string[]> =>
  (await jwksOf(app)).body.keys.map(({ kid }: { kid: string }) => kid);
const isGood = async (app: TestApp, token: string) =>
  (await app.request('GET', '/auth/verify-token', { token })).status === 200;
/** Another isolate of the same service. */
const beside = ({ databaseUrl, clock }: TestApp, variables: Readonly<Record<string, string>> = quick) =>
  testApp({ databaseUrl, clock, variables });

/** A service that keeps the key set as long as it may, and never looks at it sooner. */
function createVerifier(app: TestApp): (token: string) => Promise<unknown> {
  let keys = createLocalJWKSet({ keys: [] });
  let until = 0;
  return async (token) => {
    if (app.clock.now() >= until) {
      const { headers, body } = await jwksOf(app);
      keys = createLocalJWKSet(body);
      until = app.clock.now() + Number(/max-age=(\d+)/.exec(headers.get('Cache-Control') ?? '')?.[1]) * 1000;
    }
    const currentDate = new Date(app.clock.now());
    return await jwtVerify(token, keys, {
      issuer,
      audience: issuer,
      algorithms: ['RS256'],
      typ: 'at+jwt',
      currentDate,
    });
  };
}

describe('rotation', () => {
  it('is not noticed by those who verify tokens, through three rotations', async () => {
    const one = await testApp({ variables: quick });
    const two = await beside(one);
    const { clock } = one;
    const issuers = [];
    for (const app of [one, two]) issuers.push({ app, refresh: (await registerUser(app)).refresh });
    const verifiers: ((token: string) => Promise<unknown>)[] = [];
    const live: string[] = [];
    const lastToken = new Map<string, number>();
    const failures: string[] = [];
    const start = clock.now();

    for (let step = 0; clock.now() - start < 3.5 * 3_600_000; step += 1) {
      if (step < 4) verifiers.push(createVerifier(step % 2 === 0 ? one : two));
      await one.app.runScheduled();
      const fresh: string[] = [];
      for (const each of issuers) {
        const { body } = await each.app.request('POST', '/auth/refresh', { body: { refresh_token: each.refresh } });
        each.refresh = body.refresh_token;
        fresh.push(body.access_token);
        lastToken.set(kidOf(body.access_token), decodeJwt(body.access_token).exp ?? 0);
      }
      live.push(...fresh);
      const ending = live.filter((token) => (decodeJwt(token).exp ?? 0) * 1000 - clock.now() < 50_000);
      for (const token of [...fresh, ...ending]) {
        const verified = await Promise.allSettled(verifiers.map((verify) => verify(token)));
        for (const [index, { status }] of verified.entries()) {
          if (status === 'rejected') failures.push(`verifier ${index} at step ${step}`);
        }
        for (const { app } of issuers) if (!(await isGood(app, token))) failures.push(`service at step ${step}`);
      }
      for (const { app } of issuers) {
        const kids = await kidsOf(app);
        for (const [kid, exp] of lastToken) {
          if (exp * 1000 > clock.now() && !kids.includes(kid)) failures.push(`key set at step ${step}`);
        }
      }
      for (const token of ending) live.splice(live.indexOf(token), 1);
      clock.advance(47);
    }

    expect(failures).toEqual([]);
    expect(lastToken.size).toBe(4);
    const [current] = [...lastToken.keys()].toReversed();
    for (const app of [one, two]) expect(await kidsOf(app)).toEqual([current]);
    expect((await readSigningKeys(one.deps.db)).map(({ kid }) => kid)).toEqual([current]);
  });

  it('adds one key, however many replicas do it at once', async () => {
    const first = await testApp({ variables: quick });
    const replicas = [first, ...(await Promise.all(Array.from({ length: 9 }, () => beside(first))))];
    const scheduled = () => Promise.all(replicas.map(({ app }) => app.runScheduled()));
    const count = async () => (await readSigningKeys(first.deps.db)).length;
    await scheduled();
    expect(await count()).toBe(1);
    first.clock.advance(2999);
    await scheduled();
    expect(await count()).toBe(1);
    first.clock.advance(1);
    await scheduled();
    await scheduled();
    expect(await count()).toBe(2);
    const [old, next] = await readSigningKeys(first.deps.db);
    expect((next?.signsFrom.getTime() ?? 0) - (old?.signsFrom.getTime() ?? 0)).toBe(3_600_000);
  });

  it('gives the whole lead to verifiers also when it comes late', async () => {
    const app = await testApp({ variables: quick });
    await app.app.runScheduled();
    app.clock.advance(30 * 86_400);
    await app.app.runScheduled();
    const [old, next] = await kidsOf(app);
    const { access } = await registerUser(app);
    expect(kidOf(access)).toBe(old);
    expect((await readSigningKeys(app.deps.db)).at(-1)?.signsFrom.getTime()).toBe(app.clock.now() + 600_000);
    app.clock.advance(600);
    expect(kidOf((await registerUser(app)).access)).toBe(next);
    expect(await isGood(app, access)).toBe(true);
  });

  it('is known to an isolate that slept through it, to each of its first requests', async () => {
    const awake = await testApp({ variables: quick });
    const asleep = await beside(awake);
    await registerUser(asleep);
    for (let passed = 0; passed < 3 * 3600; passed += 300) {
      awake.clock.advance(300);
      await awake.app.runScheduled();
    }
    const users = await Promise.all(Array.from({ length: 5 }, () => registerUser(asleep)));
    for (const { access } of users) expect(await isGood(awake, access)).toBe(true);
    expect(await kidsOf(asleep)).toEqual(await kidsOf(awake));
  });
});

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
