import { base64url, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { unseal } from '../../src/crypto/seal.ts';
import { signingKeyState } from '../../src/tokens/signing-key-state.ts';
import { readSigningKeys } from '../../src/tokens/store.ts';
import { createClock, createDatabase, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const kidOf = (token: string) => decodeProtectedHeader(token).kid;
const kidsOf = async (app: TestApp): Promise<string[]> => {
  const { body } = await app.request('GET', '/.well-known/jwks.json');
  return body.keys.map(({ kid }: { kid: string }) => kid);
};
const verify = (app: TestApp, token: string) => app.request('GET', '/auth/verify-token', { token });

describe('the state of a key', () => {
  const minute = 60_000;
  const key = (ordinal: number, minutes: number) => ({ ordinal, signsFrom: new Date(minutes * minute) });
  const [first, second, third] = [key(1, 100), key(2, 200), key(4, 300)] as const;
  const all = [first, second, third];

  it.each([
    ['before it signs', first, 99.99, 'published-next'],
    ['from its time on', first, 100, 'signing'],
    ['until the next one’s time', first, 199.99, 'signing'],
    ['from the next one’s time on', first, 200, 'published-retired'],
    ['while a token it signed last may live, and a minute of skew', first, 216, 'published-retired'],
    ['half an hour later', first, 230, 'expired'],
    ['long after', first, 10_000, 'expired'],
    ['the next one at the same time', second, 199.99, 'published-next'],
    ['the next one at its time', second, 200, 'signing'],
    ['one whose successor’s number is not the next', second, 300, 'published-retired'],
    ['the last one', third, 1e6, 'signing'],
  ] as const)('%s', (_, which, minutes, state) => {
    expect(signingKeyState(which, all, minutes * minute, 900)).toBe(state);
  });

  it('of the only key is signing for ever', () => {
    expect(signingKeyState(first, [first], 1e12, 900)).toBe('signing');
  });

  it('keeps a retired key longer where tokens live longer', () => {
    expect(signingKeyState(first, all, 260 * minute, 3600)).toBe('published-retired');
  });
});

describe('the first key', () => {
  it('is one, however many start at once on an empty database', async () => {
    const databaseUrl = await createDatabase('keyless');
    const clock = createClock();
    const apps = await Promise.all(Array.from({ length: 8 }, () => testApp({ databaseUrl, clock })));
    const users = await Promise.all(apps.map((app) => registerUser(app)));
    const kids = new Set(users.map(({ access }) => kidOf(access)));
    expect(kids.size).toBe(1);
    for (const app of apps) expect(await kidsOf(app)).toEqual([...kids]);
    expect(await readSigningKeys(apps[0]?.deps.db ?? expect.fail())).toHaveLength(1);
  });

  it('signs at once also where the clock is behind the one that made it', async () => {
    const ahead = await testApp({ keyless: true, clock: createClock(Date.now() + 45_000) });
    const behind = await testApp({ databaseUrl: ahead.databaseUrl, clock: createClock(Date.now()) });
    const users = [await registerUser(ahead), await registerUser(behind)];
    expect(new Set(users.map(({ access }) => kidOf(access))).size).toBe(1);
    expect(await readSigningKeys(ahead.deps.db)).toHaveLength(1);
    for (const app of [ahead, behind]) {
      for (const { access } of users) expect((await verify(app, access)).status).toBe(200);
    }
  });
});

describe('the key set', () => {
  it('holds public RSA keys for RS256 and nothing more, for everybody', async () => {
    const app = await testApp();
    const { status, headers, body } = await app.request('GET', '/.well-known/jwks.json', {
      headers: { Origin: 'https://anywhere.test' },
    });
    expect(status).toBe(200);
    expect(headers.get('Content-Type')).toMatch(/^application\/json/);
    expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(body).toEqual({
      keys: [{ kty: 'RSA', n: expect.any(String), e: 'AQAB', kid: expect.any(String), alg: 'RS256', use: 'sig' }],
    });
    expect(base64url.decode(body.keys[0].n)).toHaveLength(256);
  });

  it.each([
    ['86400', '2592000', 3600],
    ['7200', '14400', 1800],
    ['600', '3600', 150],
  ])('may be kept for a quarter of a lead of %s s, an hour at most', async (lead, term, seconds) => {
    const app = await testApp({ variables: { SIGNING_KEY_LEAD: lead, SIGNING_KEY_TERM: term } });
    const { headers } = await app.request('GET', '/.well-known/jwks.json');
    expect(headers.get('Cache-Control')).toBe(`public, max-age=${seconds}`);
  });

  it('is not sent again to who has it', async () => {
    const app = await testApp();
    const { headers } = await app.request('GET', '/.well-known/jwks.json');
    const etag = headers.get('ETag') ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    const ask = (value: string) =>
      app.request('GET', '/.well-known/jwks.json', { headers: { 'If-None-Match': value } });
    for (const value of [etag, `W/${etag}`, `"x", ${etag}`, `"x",W/${etag} , "y"`, '*']) {
      const answer = await ask(value);
      expect([answer.status, answer.body], value).toEqual([304, '']);
      expect(answer.headers.get('ETag')).toBe(etag);
      expect(answer.headers.get('Cache-Control')).toMatch(/max-age=/);
    }
    for (const value of ['"x"', etag.slice(1, -1), `${etag}x`, '']) expect((await ask(value)).status).toBe(200);
  });

  it('costs nothing once it is known', async () => {
    const app = await testApp();
    await kidsOf(app);
    const [statements, roundTrips] = [app.statements.length, app.roundTrips()];
    for (let count = 0; count < 10; count += 1) await kidsOf(app);
    expect([app.statements.length, app.roundTrips()]).toEqual([statements, roundTrips]);
  });
});

describe('private keys', () => {
  it('are in the database under seal only, and nowhere else', async () => {
    const app = await testApp();
    await registerUser(app);
    const [row] = await readSigningKeys(app.deps.db);
    const { kid = '', privateSealed = '' } = row ?? {};
    const jwk = JSON.parse(await unseal(app.deps.keyring, `signing_keys.private:${kid}`, privateSealed));
    const { body: jwks } = await app.request('GET', '/.well-known/jwks.json');
    const seen = JSON.stringify([row, app.statements, app.logLines, jwks]);
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) {
      expect(jwk[member].length).toBeGreaterThan(100);
      expect(seen).not.toContain(jwk[member]);
      expect(jwks.keys[0]).not.toHaveProperty(member);
    }
    await expect(unseal(app.deps.keyring, 'signing_keys.private:other', privateSealed)).rejects.toThrow();
  });
});

describe('a key id that nobody knows', () => {
  const encode = (value: object) => base64url.encode(JSON.stringify(value));
  const stranger = () =>
    `${encode({ alg: 'RS256', typ: 'at+jwt', kid: crypto.randomUUID() })}.${encode({ sub: 'x' })}.AAAA`;
  const readsOf = ({ statements }: TestApp) => statements.filter(({ sql }) => sql.includes('signing_keys')).length;

  it('is looked for once in 10 seconds, however many ask', async () => {
    const app = await testApp();
    const { access } = await registerUser(app);
    for (let round = 0; round < 3; round += 1) {
      app.clock.advance(10);
      const before = readsOf(app);
      const answers = await Promise.all(Array.from({ length: 1000 }, () => verify(app, stranger())));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
      expect(readsOf(app) - before).toBe(1);
      for (let count = 0; count < 9; count += 1) {
        app.clock.advance(1);
        expect((await verify(app, stranger())).status).toBe(401);
      }
      expect(readsOf(app) - before).toBe(1);
      expect((await verify(app, access)).status).toBe(200);
    }
  });
});
