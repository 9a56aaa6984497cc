import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Clock,
  createClock,
  createDatabase,
  issuer,
  password,
  registerUser,
  type TestApp,
  testApp,
} from '../support/test-app.ts';
import { accepted, vectors } from './access-token-vectors.ts';
import { createForger, type Forger } from './forge.ts';
import { endpoints, expectRefused } from './refusal.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let databaseUrl: string;
let clock: Clock;
beforeAll(async () => {
  databaseUrl = await createDatabase();
  clock = createClock();
});
const open = () => testApp({ databaseUrl, clock });

describe('an access token', () => {
  it('is what RFC 9068 says, good for 15 minutes, and holds no personal data', async () => {
    const app = await open();
    const { id, email, access } = await registerUser(app, { username: 'ann', name: 'Ann', surname: 'Lee' });
    const { body: jwks } = await app.request('GET', '/.well-known/jwks.json');
    expect(decodeProtectedHeader(access)).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: jwks.keys[0].kid });
    const now = Math.floor(clock.now() / 1000);
    expect(decodeJwt(access)).toEqual({
      iss: issuer,
      sub: id,
      aud: issuer,
      iat: now,
      auth_time: now,
      exp: now + 900,
      jti: expect.stringMatching(uuid),
      sid: expect.stringMatching(uuid),
      client_id: 'first-party',
      scope: 'account',
      roles: ['user'],
    });
    expect(access).not.toContain(email);
    expect(access.length).toBeLessThan(1000);
  });

  it('is another one each time, of the same session after a refresh and of another after a login', async () => {
    const app = await open();
    const user = await registerUser(app);
    const { body: refreshed } = await app.request('POST', '/auth/refresh', { body: { refresh_token: user.refresh } });
    const { body: login } = await app.request('POST', '/auth/login', { body: { email: user.email, password } });
    const claims = [user.access, refreshed.access_token, login.access_token].map((token) => decodeJwt(token));
    expect(new Set(claims.map(({ jti }) => jti)).size).toBe(3);
    expect(claims[1]?.['sid']).toBe(claims[0]?.['sid']);
    expect(claims[2]?.['sid']).not.toBe(claims[0]?.['sid']);
  });

  it('names the audience that is configured, and is refused by a service of another', async () => {
    const variables = { AUDIENCE: 'https://api.test' };
    const app = await testApp({ databaseUrl, clock, variables });
    const { access } = await registerUser(app);
    expect(decodeJwt(access).aud).toBe('https://api.test');
    expect((await app.request('GET', '/users/me', { token: access })).status).toBe(200);
    await expectRefused(await open(), `Bearer ${access}`, 'JWTClaimValidationFailed');
  });

  it('expires after its 15 minutes and the minute of skew', async () => {
    const app = await testApp();
    const { access } = await registerUser(app);
    app.clock.advance(900 + 59);
    expect((await app.request('GET', '/auth/verify-token', { token: access })).status).toBe(200);
    app.clock.advance(1);
    await expectRefused(app, `Bearer ${access}`, 'JWTExpired');
  });

  it('lives as long as the service that verifies it says, where ACCESS_TOKEN_TTL was lowered', async () => {
    const before = await testApp({ variables: { ACCESS_TOKEN_TTL: '3600' } });
    const { access } = await registerUser(before);
    const after = await testApp({ databaseUrl: before.databaseUrl, clock: before.clock });
    before.clock.advance(900 + 60);
    expect((await after.request('GET', '/auth/verify-token', { token: access })).status).toBe(200);
    before.clock.advance(1);
    await expectRefused(after, `Bearer ${access}`, 'JWTExpired');
    expect((await before.request('GET', '/auth/verify-token', { token: access })).status).toBe(200);
  });

  it('is told to other services with the claims and in headers', async () => {
    const app = await open();
    const { id, access } = await registerUser(app);
    const { status, headers, body } = await app.request('POST', '/auth/verify-token/any/path?x', { token: access });
    expect(status).toBe(200);
    expect(body).toEqual(decodeJwt(access));
    expect(headers.get('X-Auth-Subject')).toBe(id);
    expect(headers.get('X-Auth-Session')).toBe(body.sid);
    expect(headers.get('X-Auth-Client')).toBe('first-party');
    expect(headers.get('X-Auth-Scope')).toBe('account');
    expect(headers.get('X-Auth-Roles')).toBe('user');
    expect(headers.get('Cache-Control')).toBe('no-store');
  });

  it.each(accepted)('is good: $name', async ({ make }) => {
    const app = await open();
    const { id, access } = await registerUser(app);
    const forger = await createForger(app);
    const claims = { ...forger.claims, sub: id, sid: decodeJwt(access)['sid'] };
    const token = await make({
      ...forger,
      claims,
      token: ({ header, claims: changes } = {}) =>
        forger.token({ header: { ...header }, claims: { ...claims, ...changes } }),
    });
    for (const endpoint of endpoints) expect((await app.request('GET', endpoint, { token })).status).toBe(200);
  });
});

describe('no access token', () => {
  let shared: TestApp;
  let forger: Forger;
  beforeAll(async () => {
    shared = await open();
    forger = await createForger(shared);
  });
  afterAll(() => shared.close());

  it.each(vectors)('$name', async ({ reason, make }) => {
    await expectRefused(shared, `Bearer ${await make(forger)}`, reason);
  });

  it('has one letter more, less or other than what was issued', async () => {
    const app = await open();
    const { access } = await registerUser(app);
    for (let at = 0; at < access.length; at += 1) {
      // Every letter of the last ones, where spare bits are; else one that differs in its first bits.
      const others = at < access.length - 3 ? [access.charAt(at) === 'A' ? 'g' : 'A'] : ['A', 'g', 'Q', 'w', 'B', '_'];
      for (const other of others.filter((letter) => letter !== access.charAt(at))) {
        const token = access.slice(0, at) + other + access.slice(at + 1);
        expect((await app.request('GET', '/auth/verify-token', { token })).status, String(at)).toBe(401);
      }
    }
    for (const token of [access.slice(1), `A${access}`, `${access}A`, `${access}.`, `.${access}`]) {
      expect((await app.request('GET', '/auth/verify-token', { token })).status).toBe(401);
    }
  });

  it('costs a database statement or a round trip to the key-value store to refuse', async () => {
    const app = await open();
    const forger = await createForger(app);
    const [statements, roundTrips] = [app.statements.length, app.roundTrips()];
    for (const { make } of vectors.filter(({ reason }) => reason !== 'unknown kid')) {
      await app.request('GET', '/auth/verify-token', { headers: { Authorization: `Bearer ${await make(forger)}` } });
    }
    expect(app.statements.length - statements).toBe(0);
    expect(app.roundTrips() - roundTrips).toBe(0);
  });
});
