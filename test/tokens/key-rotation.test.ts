import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, inject, it } from 'vitest';
import { readSigningKeys } from '../../src/tokens/store.ts';
import { issuer, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { createForger } from './forge.ts';

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
  const rotations = inject('isThorough') ? 3 : 1;
  it(`is not noticed by those who verify tokens, through ${rotations} of them`, async () => {
    const one = await testApp({ variables: quick, keyless: true });
    const two = await beside(one);
    const { clock } = one;
    const issuers = [];
    for (const app of [one, two]) issuers.push({ app, refresh: (await registerUser(app)).refresh });
    const verifiers: ((token: string) => Promise<unknown>)[] = [];
    const live: string[] = [];
    const lastToken = new Map<string, number>();
    const failures: string[] = [];
    const start = clock.now();
    let scheduledAt = Number.NEGATIVE_INFINITY;

    // Between the deletion of one key and the publication of the next nothing happens: larger steps do there.
    const stepAt = (time: number) => (time % 3600 > 1500 && time % 3600 < 2800 ? 177 : 59);

    for (let step = 0; clock.now() - start < (rotations + 0.5) * 3_600_000; step += 1) {
      const length = stepAt((clock.now() - start) / 1000);
      if (step < 4) verifiers.push(createVerifier(step % 2 === 0 ? one : two));
      // Once a minute at most, as in production.
      if (clock.now() >= scheduledAt + 60_000) {
        scheduledAt = clock.now();
        await one.app.runScheduled();
      }
      const fresh: string[] = [];
      for (const each of issuers) {
        const { body } = await each.app.request('POST', '/auth/refresh', { body: { refresh_token: each.refresh } });
        each.refresh = body.refresh_token;
        fresh.push(body.access_token);
        lastToken.set(kidOf(body.access_token), decodeJwt(body.access_token).exp ?? 0);
      }
      live.push(...fresh);
      const ending = live.filter((token) => (decodeJwt(token).exp ?? 0) * 1000 - clock.now() < (length + 3) * 1000);
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
      clock.advance(length);
    }

    expect(failures).toEqual([]);
    expect(lastToken.size).toBe(rotations + 1);
    const [current] = [...lastToken.keys()].toReversed();
    for (const app of [one, two]) expect(await kidsOf(app)).toEqual([current]);
    expect((await readSigningKeys(one.deps.db)).map(({ kid }) => kid)).toEqual([current]);
  });

  it('adds one key, however many replicas do it at once', async () => {
    const first = await testApp({ variables: quick, keyless: true });
    const replicas = [first, ...(await Promise.all(Array.from({ length: 5 }, () => beside(first))))];
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

  it('leaves no use to a key that has expired, though nobody deleted it yet', async () => {
    const app = await testApp({ variables: quick });
    const { header, sign, claims } = await createForger(app);
    const token = () => {
      const iat = Math.floor(app.clock.now() / 1000);
      return sign(JSON.stringify(header), JSON.stringify({ ...claims, iat, exp: iat + 900 }));
    };
    app.clock.advance(3000);
    await app.app.runScheduled();
    app.clock.advance(600 + 900);
    expect(await kidsOf(app)).toHaveLength(2);
    app.clock.advance(3600);
    const { access } = await registerUser(app);
    expect(await kidsOf(app)).toEqual([kidOf(access)]);
    expect(await isGood(app, await token())).toBe(false);
    expect(app.logLines.at(-1)).toContain('"reason":"unknown kid"');
    expect(await readSigningKeys(app.deps.db)).toHaveLength(2);
  });

  it('is known to an isolate that slept through it, to each of its first requests', async () => {
    const awake = await testApp({ variables: quick });
    const asleep = await beside(awake);
    await registerUser(asleep);
    for (let passed = 0; passed < 3 * 3600; passed += 600) {
      awake.clock.advance(600);
      await awake.app.runScheduled();
    }
    const users = await Promise.all(Array.from({ length: 5 }, () => registerUser(asleep)));
    for (const { access } of users) expect(await isGood(awake, access)).toBe(true);
    expect(await kidsOf(asleep)).toEqual(await kidsOf(awake));
  });
});
