import { describe, expect, it } from 'vitest';
import { issueAccessToken, verifyAccessToken } from '../../src/tokens/access-token.ts';
import { createSigningKeys } from '../../src/tokens/signing-keys.ts';
import { registerUser, testApp } from '../support/test-app.ts';
import { counting, failing, slow } from './database-doubles.ts';

const subject = {
  userId: '018f0000-0000-7000-8000-000000000001',
  sessionId: '018f0000-0000-7000-8000-000000000002',
  clientId: 'first-party',
  scope: 'account',
  roles: ['user'],
  authenticatedAt: Date.now(),
  expiresAt: Number.MAX_SAFE_INTEGER,
};

const quick = { SIGNING_KEY_TERM: '3600', SIGNING_KEY_LEAD: '600' };

describe('without the database', () => {
  it('the keys that are known go on signing, verifying and standing in the key set', async () => {
    const app = await testApp();
    let isDown = false;
    const deps = { ...app.deps, db: await failing(app, () => isDown) };
    const needs = { ...deps, signingKeys: createSigningKeys(deps) };
    const first = await issueAccessToken(needs, subject);
    isDown = true;
    for (let minutes = 0; minutes < 15; minutes += 1) {
      for (const token of [first, await issueAccessToken(needs, subject)]) {
        expect(await verifyAccessToken(needs, token)).toMatchObject({ sub: subject.userId });
      }
      expect((await needs.signingKeys.published()).keys).toHaveLength(1);
      app.clock.advance(60);
    }
    app.clock.advance(30 * 86_400);
    const late = await issueAccessToken(needs, subject);
    expect(await verifyAccessToken(needs, late)).toMatchObject({ sub: subject.userId });
  });

  it('nothing is signed or published where no key is known, and no token is called wrong', async () => {
    const app = await testApp();
    const { access } = await registerUser(app);
    const deps = { ...app.deps, db: await failing(app, () => true) };
    const signingKeys = createSigningKeys(deps);
    const attempts = [
      signingKeys.signing(),
      signingKeys.published(),
      signingKeys.rotate(),
      verifyAccessToken({ ...deps, signingKeys }, access),
    ];
    for (const outcome of await Promise.allSettled(attempts)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'Error' } });
    }
  });

  it('one request a second asks for it, and the others wait for nothing', async () => {
    const app = await testApp();
    let isDown = false;
    const { db, asked } = counting(await failing(app, () => isDown));
    const signingKeys = createSigningKeys({ ...app.deps, db });
    const { kid } = await signingKeys.signing();
    isDown = true;
    app.clock.advance(300);
    const before = asked();
    await Promise.all(Array.from({ length: 50 }, () => signingKeys.signing()));
    await Promise.all(Array.from({ length: 50 }, () => signingKeys.verifying(kid)));
    expect(asked() - before).toBe(1);
    app.clock.advance(1);
    await signingKeys.signing();
    expect(asked() - before).toBe(2);
    isDown = false;
    app.clock.advance(1);
    await signingKeys.signing();
    await signingKeys.signing();
    expect(asked() - before).toBe(3);
    expect(app.logLines.filter((line) => line.includes('"event":"signing_keys_not_read"'))).toHaveLength(2);
  });
});

describe('a slow answer of the database', () => {
  it('does not undo what a later one told', async () => {
    const app = await testApp({ variables: quick });
    let hold: Promise<void> | undefined;
    const db = slow(app.deps.db, async (rows) => {
      await hold;
      return rows;
    });
    const signingKeys = createSigningKeys({ ...app.deps, db });
    await signingKeys.signing();
    app.clock.advance(3600);

    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    const late = signingKeys.published();
    await app.deps.db.execute('select 1');
    hold = undefined;
    await signingKeys.rotate();
    expect((await signingKeys.published()).keys).toHaveLength(2);
    resolve();
    await late;
    expect((await signingKeys.published()).keys).toHaveLength(2);
  });

  it('lets nobody sign with a key that may have left the key set', async () => {
    const app = await testApp({ variables: quick });
    let hold: Promise<void> | undefined;
    const db = slow(app.deps.db, async (rows) => {
      await hold;
      return rows;
    });
    const asleep = createSigningKeys({ ...app.deps, db });
    const { kid: old } = await asleep.signing();
    for (let passed = 0; passed < 3 * 3600; passed += 600) {
      app.clock.advance(600);
      await app.app.runScheduled();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    const first = asleep.signing();
    await app.deps.db.execute('select 1');
    hold = undefined;
    const second = await asleep.signing();
    resolve();
    expect(second.kid).toBe((await first).kid);
    expect(second.kid).not.toBe(old);
    expect(await asleep.verifying(old)).toBeUndefined();
  });

  it('holds up the request that asked, and no other', async () => {
    const app = await testApp();
    let hold: Promise<void> | undefined;
    const db = slow(app.deps.db, async (rows) => {
      await hold;
      return rows;
    });
    const signingKeys = createSigningKeys({ ...app.deps, db });
    const { kid } = await signingKeys.signing();
    app.clock.advance(300);
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    const slowed = signingKeys.signing();
    expect((await signingKeys.signing()).kid).toBe(kid);
    expect(await signingKeys.verifying(kid)).toBeDefined();
    expect(await signingKeys.verifying('unknown')).toBeUndefined();
    resolve();
    expect((await slowed).kid).toBe(kid);
  });
});
