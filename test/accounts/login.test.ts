import { describe, expect, it } from 'vitest';
import { createPasswordHasher } from '../../src/crypto/password-hash.ts';
import { password, registerUser, testApp } from '../support/test-app.ts';

describe('signing in', () => {
  it('takes the password with exactly one of identifier, email and username', async () => {
    const { request } = await testApp();
    await request('POST', '/auth/register', { body: { email: 'ann@example.com', username: 'ann', password } });
    for (const identifier of [
      { identifier: 'ann@example.com' },
      { identifier: 'ANN' },
      { email: 'Ann@Example.com' },
      { username: ' ann ' },
      { username: 'ann@example.com' },
    ]) {
      const { status, body } = await request('POST', '/auth/login', { body: { ...identifier, password } });
      expect(status).toBe(200);
      expect(body).toMatchObject({ token_type: 'Bearer', user: { username: 'ann' } });
    }
    for (const identifier of [{}, { email: 'ann@example.com', username: 'ann' }]) {
      const { status, body } = await request('POST', '/auth/login', { body: { ...identifier, password } });
      expect(status).toBe(422);
      expect(body.errors).toMatchObject([{ path: 'identifier' }]);
    }
  });

  it('answers an unknown identifier and a wrong password alike, at the same cost', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    const asked: (string | null)[] = [];
    const { verify } = app.deps.hasher;
    const spied = await testApp({
      databaseUrl: app.databaseUrl,
      hasher: {
        ...app.deps.hasher,
        verify: (typed, stored, signal) => {
          asked.push(stored);
          return verify(typed, stored, signal);
        },
      },
    });
    const attempt = async (identifier: string, address: string) => {
      const before = spied.statements.length;
      const sent = { body: { identifier, password: 'wrong password' }, address };
      const answer = await spied.request('POST', '/auth/login', sent);
      const { request_id: _, ...body } = answer.body;
      const headers = [...answer.headers].filter(([name]) => name !== 'x-request-id');
      return { status: answer.status, headers, body, cost: spied.statements.slice(before).map(({ sql }) => sql) };
    };
    const known = await attempt(email, '192.0.2.1');
    const unknown = await attempt('nobody@example.com', '192.0.2.2');
    expect(known.status).toBe(401);
    expect(known.body).toMatchObject({ code: 'invalid_credentials' });
    expect(unknown).toEqual(known);
    expect(asked).toEqual([expect.stringContaining('$argon2id$'), null]);
  });

  it('refuses a disabled user like a wrong password', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    await app.deps.db.execute("update users set status = 'disabled'");
    const { status, body } = await app.request('POST', '/auth/login', { body: { email, password } });
    expect(status).toBe(401);
    expect(body.code).toBe('invalid_credentials');
  });

  it('starts no session for a user whose sessions were ended in the meantime', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    const { hasher } = app.deps;
    const racing = await testApp({
      databaseUrl: app.databaseUrl,
      hasher: {
        ...hasher,
        verify: async (typed, stored, signal) => {
          await app.request('POST', '/auth/logout-all', { token: user.access });
          return await hasher.verify(typed, stored, signal);
        },
      },
    });
    const { status } = await racing.request('POST', '/auth/login', { body: { email: user.email, password } });
    expect(status).toBe(401);
  });

  it('takes what people type without ever failing', async () => {
    const { request } = await testApp();
    for (const identifier of ['\ud800', '@', '@@', ' ', "' or 1=1 --", 'x'.repeat(320), 'a@b@c', '\u202e@x.y']) {
      const { status } = await request('POST', '/auth/login', { body: { identifier, password: 'x' } });
      expect(status).toBe(401);
    }
  });

  it('stores the password anew when the parameters rise', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    const { hashing } = (await import('#test-runtime')).runtime;
    const stronger = await testApp({
      databaseUrl: app.databaseUrl,
      hasher: createPasswordHasher({
        hashing,
        peppers: app.deps.keyring.all.map(({ id, pepper }) => ({ id, key: pepper })),
        parameters: { memory: 128, iterations: 2, parallelism: 1 },
      }),
    });
    const login = () => stronger.request('POST', '/auth/login', { body: { email, password } });
    expect((await login()).status).toBe(200);
    const upgrades = () => stronger.statements.filter(({ sql }) => sql.includes('update "users"')).length;
    expect(upgrades()).toBe(1);
    expect((await login()).status).toBe(200);
    expect(upgrades()).toBe(1);
  });

  it('accepts a user who was carried over with a bcrypt hash, and upgrades it', async () => {
    const app = await testApp();
    const { email, id } = await registerUser(app);
    // bcrypt of "correct horse battery staple", cost 4
    const { default: bcrypt } = await import('bcryptjs');
    const stored = await bcrypt.hash(password, 4);
    await app.deps.db.execute(`update users set password_hash = '${stored}' where id = '${id}'`);
    const login = (typed: string) => app.request('POST', '/auth/login', { body: { email, password: typed } });
    expect((await login('wrong password')).status).toBe(401);
    expect((await login(password)).status).toBe(200);
    const [row] = await app.deps.db.select().from((await import('../../src/db/schema.ts')).users);
    expect(row?.passwordHash).toMatch(/^\$argon2id\$/);
    expect((await login(password)).status).toBe(200);
  });
});
