import { describe, expect, it } from 'vitest';
import { createKeyring } from '../../src/crypto/derive.ts';
import { issueRefreshToken, verifyRefreshToken } from '../../src/tokens/refresh-token.ts';
import { registerUser, testApp } from '../support/test-app.ts';

const oldSecret = 'an-old-secret-an-old-secret-an-old-1';
const newSecret = 'a-new-secret-a-new-secret-a-new-se-1';
const sessionId = '018f0000-0000-7000-8000-000000000001';
const otherId = '018f0000-0000-7000-8000-000000000002';
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const keyring = await createKeyring([oldSecret]);
const good = await issueRefreshToken(keyring, { sessionId, generation: 12 });
const mac = good.slice(good.lastIndexOf('.') + 1);

/** What differs from a good token in one way. */
const forged: Readonly<Record<string, string>> = {
  'another MAC': `${sessionId}.12.${'A'.repeat(43)}`,
  'the MAC of another generation': (await issueRefreshToken(keyring, { sessionId, generation: 11 })).replace(
    '.11.',
    '.12.',
  ),
  'the MAC of another session': (await issueRefreshToken(keyring, { sessionId: otherId, generation: 12 })).replace(
    otherId,
    sessionId,
  ),
  'the MAC of another secret': await issueRefreshToken(await createKeyring([newSecret]), { sessionId, generation: 12 }),
  'the MAC of the same text by the key of another purpose': await macWith('blindIndex'),
  'the next generation': good.replace('.12.', '.13.'),
  'another session': good.replace(sessionId, otherId),
  'the session in upper case': good.replace(sessionId, sessionId.toUpperCase()),
  'a dot that moved': `${sessionId}.1.2${mac}`,
  'a zero before the generation': good.replace('.12.', '.012.'),
  'a sign before the generation': good.replace('.12.', '.+12.'),
  'a negative generation': good.replace('.12.', '.-12.'),
  'a broken generation': good.replace('.12.', '.12.0.'),
  'a generation with an exponent': good.replace('.12.', '.12e0.'),
  'a generation beyond a column of the database': good.replace('.12.', '.99999999999.'),
  'no generation': good.replace('.12.', '..'),
  'digits outside of ASCII': good.replace('.12.', '.１２.'),
  'the MAC without its last letter': good.slice(0, -1),
  'the MAC with one letter more': `${good}A`,
  'no MAC': good.slice(0, -43),
  'the session alone': sessionId,
  'padding after the MAC': `${good}=`,
  'a blank after the MAC': `${good} `,
  'a line break after the MAC': `${good}\n`,
  'a blank before the session': ` ${good}`,
  'the MAC in hexadecimal': `${sessionId}.12.${'ab'.repeat(32)}`,
  'one part more': `${good}.${mac}`,
  'a lone surrogate': `${good.slice(0, -1)}\ud800`,
  'a null byte': `${good}\0`,
};

async function macWith(purpose: 'blindIndex' | 'pepper'): Promise<string> {
  const text = new TextEncoder().encode(`${sessionId}.12`);
  const bytes = new Uint8Array(await crypto.subtle.sign('HMAC', keyring.newest[purpose], text));
  return `${sessionId}.12.${btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .slice(0, 43)}`;
}

describe('a refresh token', () => {
  it('tells its session and generation, and is always the same for both', async () => {
    expect(good).toMatch(/^018f0000-0000-7000-8000-000000000001\.12\.[\w-]{43}$/);
    expect(await verifyRefreshToken(keyring, good, 0)).toEqual({ sessionId, generation: 12 });
    expect(await issueRefreshToken(await createKeyring([oldSecret]), { sessionId, generation: 12 })).toBe(good);
  });

  it.each([0, 1, 9, 10, 999_999_999])('counts to generation %i', async (generation) => {
    const token = await issueRefreshToken(keyring, { sessionId, generation });
    expect(await verifyRefreshToken(keyring, token, 0)).toEqual({ sessionId, generation });
  });

  it.each(Object.entries(forged))('is not one with %s', async (_, token) => {
    expect(await verifyRefreshToken(keyring, token, 0)).toBeUndefined();
  });

  it('has one spelling: no letter can be another one, also where base64url has spare bits', async () => {
    for (let at = 0; at < good.length; at += 1) {
      const others = at === good.length - 1 ? alphabet : 'A0f.';
      for (const other of [...others].filter((letter) => letter !== good.charAt(at))) {
        const token = good.slice(0, at) + other + good.slice(at + 1);
        expect(await verifyRefreshToken(keyring, token, 0), token).toBeUndefined();
      }
    }
  });

  it('of an older secret is good until the date that was set for it, and without one not at all', async () => {
    const atOnce = await createKeyring([newSecret, oldSecret]);
    expect(await verifyRefreshToken(atOnce, good, 0)).toBeUndefined();
    const planned = await createKeyring([newSecret, oldSecret], 1000);
    expect(await verifyRefreshToken(planned, good, 999)).toEqual({ sessionId, generation: 12 });
    expect(await verifyRefreshToken(planned, good, 1000)).toBeUndefined();
    const made = await issueRefreshToken(planned, { sessionId, generation: 13 });
    expect(await verifyRefreshToken(await createKeyring([newSecret]), made, 0)).toEqual({ sessionId, generation: 13 });
    expect(await verifyRefreshToken(keyring, made, 0)).toBeUndefined();
  });
});

/** Tokens of the older secret count until then. */
const until = { AUTH_SECRET_PREVIOUS_UNTIL: '2099-01-01T00:00:00Z' };

describe('at the front door', () => {
  it('a forged one is refused without the database or the key-value store', async () => {
    const app = await testApp();
    const { refresh } = await registerUser(app);
    const [id = '', generation = '', genuine = ''] = refresh.split('.');
    const [statements, roundTrips] = [app.statements.length, app.roundTrips()];
    const tokens = [
      // A NUL is refused before anything looks at the token.
      ...Object.values(forged).filter((token) => !token.includes('\0')),
      `${id}.${generation}.${'A'.repeat(43)}`,
      `${id}.1.${genuine}`,
      `${otherId}.${generation}.${genuine}`,
      good,
    ];
    for (const token of tokens) {
      for (const path of ['/auth/refresh', '/auth/logout']) {
        const { status, headers, body } = await app.request('POST', path, { body: { refresh_token: token } });
        expect(status, token).toBe(401);
        expect(body).toMatchObject({ code: 'invalid_refresh_token' });
        expect(headers.get('Content-Type')).toBe('application/problem+json');
      }
    }
    expect(app.statements.length).toBe(statements);
    expect(app.roundTrips()).toBe(roundTrips);
    expect(app.logLines.join()).not.toContain(good.slice(-20));
    expect((await app.request('POST', '/auth/refresh', { body: { refresh_token: refresh } })).status).toBe(200);
  });

  it.each([`${good}${'A'.repeat(60_000)}`, '', 1, null, ['a'], {}])(
    'what is no token at all is not valid (%#)',
    async (token) => {
      const app = await testApp();
      const { status, body } = await app.request('POST', '/auth/refresh', { body: { refresh_token: token } });
      expect(status).toBe(422);
      expect(body.errors).toEqual([{ path: 'refresh_token', message: expect.any(String) }]);
      expect(app.statements).toEqual([]);
    },
  );

  it('an access token is no refresh token', async () => {
    const app = await testApp();
    const { access } = await registerUser(app);
    expect((await app.request('POST', '/auth/refresh', { body: { refresh_token: access } })).status).toBe(422);
    const [, claims] = access.split('.');
    expect(
      (await app.request('POST', '/auth/refresh', { body: { refresh_token: claims?.slice(0, 250) } })).status,
    ).toBe(401);
  });

  it('outlives a planned change of AUTH_SECRET, until the date of the old one', async () => {
    const before = await testApp({ variables: { AUTH_SECRET: oldSecret } });
    const { databaseUrl } = before;
    const { refresh } = await registerUser(before);
    const other = await registerUser(before);
    const during = await testApp({
      databaseUrl,
      variables: { AUTH_SECRET: newSecret, AUTH_SECRET_PREVIOUS: oldSecret, ...until },
    });
    const rotated = await during.request('POST', '/auth/refresh', { body: { refresh_token: refresh } });
    expect(rotated.status).toBe(200);

    const after = await testApp({
      databaseUrl,
      variables: { AUTH_SECRET: newSecret, AUTH_SECRET_PREVIOUS: oldSecret },
    });
    const statements = after.statements.length;
    const refused = await after.request('POST', '/auth/refresh', { body: { refresh_token: other.refresh } });
    expect(refused.status).toBe(401);
    expect(after.statements.length).toBe(statements);
    const next = await after.request('POST', '/auth/refresh', { body: { refresh_token: rotated.body.refresh_token } });
    expect(next.status).toBe(200);
  });

  it('a token repeated across the change of AUTH_SECRET ends nobody’s session', async () => {
    const before = await testApp({ variables: { AUTH_SECRET: oldSecret } });
    const { refresh } = await registerUser(before);
    const variables = { AUTH_SECRET: newSecret, AUTH_SECRET_PREVIOUS: oldSecret, ...until };
    const during = await testApp({ databaseUrl: before.databaseUrl, variables, clock: before.clock });
    const answers = [];
    for (const app of [before, during]) {
      const { status, body } = await app.request('POST', '/auth/refresh', { body: { refresh_token: refresh } });
      expect(status).toBe(200);
      answers.push(body.refresh_token);
    }
    // Two spellings of one generation: either one goes on.
    for (const refresh_token of answers) {
      expect((await during.request('POST', '/auth/refresh', { body: { refresh_token } })).status).toBe(200);
    }
  });
});
