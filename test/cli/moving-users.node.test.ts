// Node only: the command runs on Node. What it writes is read by both runtimes through the same code.
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { createEmptyDatabase, withClient } from '../db/catalog.ts';
import { secretsTo } from '../support/mail.ts';
import { runCli, runImport } from '../support/run-cli.ts';
import { createDatabase, testApp } from '../support/test-app.ts';
import { documentedSql, hashes, hashOf, type OldService, services } from './older-services.ts';

/** Of each service. */
const people = 200;
const numbers = Array.from({ length: people }, (_, n) => n + 1);

/** Fills the table of an old service, and exports it as the document says. */
async function exportOf({ name, table, row }: OldService): Promise<string> {
  return await withClient(await createEmptyDatabase(), async (client) => {
    await client.query(table);
    const rows = numbers.map((n) => row(n, hashOf(n).hash));
    const places = rows.map((values, r) => `(${values.map((_, v) => `$${r * values.length + v + 1}`).join(', ')})`);
    await client.query(`insert into users values ${places.join(', ')}`, rows.flat());
    // psql prints the one column of each row on a line of its own.
    const result = await client.query<string[]>({
      text: documentedSql(name),
      rowMode: 'array',
      types: { getTypeParser: () => String },
    });
    return result.rows.map(([json]) => `${json}\n`).join('');
  });
}

describe('1,000 users of the five services, carried over with what the document says', () => {
  let databaseUrl: string;
  const exports = new Map<string, string>();
  beforeAll(async () => {
    databaseUrl = await createDatabase();
    for (const service of services) exports.set(service.name, await exportOf(service));
    const ended = await runCli(['import', '-'], { DATABASE_URL: databaseUrl }, [...exports.values()].join(''));
    expect(ended).toEqual({ code: 0, out: '1000 lines: 1000 imported, 0 already here, 0 refused', err: '' });
  });

  it('are there once each, with what was known of them, and one audit row each', async () => {
    await withClient(databaseUrl, async (client) => {
      const { rows } = await client.query(`select count(*)::int as users, count(distinct id)::int as ids,
        count(*) filter (where 'admin' = any (roles))::int as admins,
        count(*) filter (where email_verified_at is not null)::int as verified,
        (select count(*)::int from audit_log join users on users.id = user_id where type = 'user_imported') as audited
        from users`);
      expect(rows).toEqual([{ users: 1000, ids: 1000, admins: 2, verified: 200, audited: 1000 }]);
      const kinds = await client.query(
        'select substr(password_hash, 1, 7) as kind, count(*)::int from users group by 1 order by 1',
      );
      expect(kinds.rows.map(({ kind }) => kind)).toEqual([
        '$2a$10$',
        '$2a$12$',
        '$2b$10$',
        '$2b$12$',
        '$2y$10$',
        '$2y$12$',
      ]);
    });
    const ended = await runImport([], { DATABASE_URL: databaseUrl }, exports.get('003') ?? '');
    expect(ended).toEqual({ code: 0, out: '200 lines: 0 imported, 200 already here, 0 refused', err: '' });
  });

  it('sign in with their old passwords, and are upgraded to the current hash in the same request', async () => {
    const { request } = await testApp({ databaseUrl, variables: { LIMIT_LOGIN_ADDRESS: '2000/60' } });
    // Every service, and every kind of hash, also where only a few sign in.
    const all = services.flatMap((service) => numbers.map((n) => ({ service, n })));
    const every = Math.max(1, Math.floor(all.length / inject('importSignIns')));
    const chosen = all.filter((_, index) => index % every === 0 || [24, 49, 74].includes(index));
    const signedIn: string[] = [];
    for (const { service, n } of chosen) {
      const { password } = hashOf(n);
      const sent = { body: { identifier: service.identifier(n), password } };
      const { status, body } = await request('POST', '/auth/login', sent);
      expect([service.identifier(n), status]).toEqual([service.identifier(n), 200]);
      signedIn.push(body.user.id);
    }
    expect(new Set(chosen.map(({ n }) => hashOf(n).hash)).size).toBe(hashes.length);
    await withClient(databaseUrl, async (client) => {
      const upgraded = "password_hash like '$argon2id$v=19$%,keyid=%'";
      const { rows } = await client.query(`select id from users where ${upgraded}`);
      expect(rows.map(({ id }) => id).toSorted()).toEqual(signedIn.toSorted());
    });
    for (const { service, n } of chosen.slice(0, 2)) {
      const sent = { body: { identifier: service.identifier(n), password: hashOf(n).password } };
      expect((await request('POST', '/auth/login', sent)).status).toBe(200);
      const wrong = { body: { identifier: service.identifier(n), password: hashOf(n + 1).password } };
      expect((await request('POST', '/auth/login', wrong)).status).toBe(401);
    }
  }, 300_000);

  it('have the profile that they had there', async () => {
    const { request } = await testApp({ databaseUrl });
    const profile = async (service: number, n: number) => {
      const identifier = services[service]?.identifier(n);
      const { body } = await request('POST', '/auth/login', { body: { identifier, password: hashOf(n).password } });
      return body.user;
    };
    expect(await profile(0, 2)).toMatchObject({
      email: 'Ann.2@zero.example',
      email_verified: false,
      created_at: '2021-01-01T02:00:00.246Z',
    });
    expect(await profile(1, 1)).toMatchObject({
      id: '10000000-0000-4000-8000-000000000001',
      username: 'Bob_1',
      email: null,
      name: 'Bob "1"',
      surname: "O'Neill\\",
    });
    expect(await profile(2, 1)).toMatchObject({ roles: ['user', 'admin'], created_at: '2021-01-01T01:00:00.123Z' });
    expect(await profile(4, 1)).toMatchObject({ email_verified: true, roles: ['user', 'admin'] });
  });

  it('can give their address anew where the old service kept only a hash of it', async () => {
    const app = await testApp({ databaseUrl });
    const identifier = services[1]?.identifier(2);
    const signedIn = await app.request('POST', '/auth/login', { body: { identifier, password: hashOf(2).password } });
    const { access_token: token } = signedIn.body;
    const email = 'bob@one.example';
    expect((await app.request('POST', '/users/change-email', { token, body: { email } })).status).toBe(202);
    const proof = { token: secretsTo(app, email).token };
    expect((await app.request('POST', '/auth/confirm-email-change', { body: proof })).status).toBe(200);
    const again = { identifier: email, password: hashOf(2).password };
    expect((await app.request('POST', '/auth/login', { body: again })).body.user).toMatchObject({
      username: 'Bob_2',
      email,
    });
  });
});
