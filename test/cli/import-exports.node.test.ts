// Node only: the command runs on Node. The hashes in `exports/` are made by the libraries of their systems.
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { withClient } from '../db/catalog.ts';
import { makeRole } from '../support/admin.ts';
import { type Ended, runImport } from '../support/run-cli.ts';
import { createDatabase, type TestApp, testApp } from '../support/test-app.ts';
import { exportCases, keycloakSignIns, place } from './exports/cases.ts';

const signIn = ({ request }: TestApp, identifier: string, password: string) =>
  request('POST', '/auth/login', { body: { identifier, password } });

interface Imported {
  readonly ended: Ended;
  readonly again: Ended;
  readonly databaseUrl: string;
}

/** Imports a file into a database of its own, which has a role `editor`; then once more. */
async function carryOver(file: string, ...options: string[]): Promise<Imported> {
  const databaseUrl = await createDatabase();
  const app = await testApp({ databaseUrl });
  await makeRole(app, 'editor', []);
  await app.close();
  const content = await readFile(place(file));
  const run = () => runImport(options, { DATABASE_URL: databaseUrl }, content);
  return { ended: await run(), again: await run(), databaseUrl };
}

const rowsOf = (databaseUrl: string) =>
  withClient(databaseUrl, async (client) => {
    const columns = 'id, username, locale, status, roles, email_verified_at is not null as verified, created_at';
    return (await client.query(`select ${columns} from users order by id`)).rows;
  });

describe('an export of Keycloak 26', () => {
  let imported: Imported;
  beforeAll(async () => {
    imported = await carryOver('keycloak.json', '--from', 'keycloak');
  });

  it('brings everybody, and says what it leaves out', async () => {
    const { ended, again, databaseUrl } = imported;
    expect(ended.out).toBe('6 lines: 6 imported, 0 already here, 0 refused');
    expect(ended.code).toBe(0);
    expect(ended.err.split('\n')).toEqual(
      [
        'user 1: note: roles: /staff: This service has no such role. Add it, or map it to another with --role',
        'user 2: note: requiredActions: UPDATE_PASSWORD: Comes without a password, and sets a new one by mail',
        ...[2, 3, 4, 5].map(
          (n) =>
            `user ${n}: note: roles: /staff: This service has no such role. Add it, or map it to another with --role`,
        ),
      ].toSorted(),
    );
    expect(again).toEqual({ code: 0, out: '6 lines: 0 imported, 6 already here, 0 refused', err: '' });
    const rows = await rowsOf(databaseUrl);
    expect(rows).toHaveLength(6);
    expect(rows.find(({ username }) => username === 'm-argon2')).toMatchObject({
      id: '12481b62-5159-42ff-baa2-6e0f0ca85b3b',
      locale: 'de',
      status: 'active',
      roles: ['user'],
      verified: true,
      created_at: new Date(1_795_654_386_995),
    });
    expect(rows.filter(({ status }) => status === 'disabled').map(({ username }) => username)).toEqual(['m-pbkdf2']);
    expect(rows.find(({ username }) => username === 'm-few')).toMatchObject({ verified: false });
  });

  it('lets all sign in who can, with the passwords they had', async () => {
    const app = await testApp({ databaseUrl: imported.databaseUrl });
    for (const [identifier, password, status] of keycloakSignIns) {
      expect([identifier, (await signIn(app, identifier, `${password}!`)).status]).toEqual([identifier, 401]);
      expect([identifier, (await signIn(app, identifier, password)).status]).toEqual([identifier, status]);
    }
  });

  it('holds a hash of each kind that Keycloak makes, also of who may not sign in', async () => {
    const { users } = JSON.parse(await readFile(place('keycloak.json'), 'utf8'));
    const enabled = users.map((user: object) => ({ ...user, enabled: true, requiredActions: [] }));
    const databaseUrl = await createDatabase();
    await runImport(['--from', 'keycloak'], { DATABASE_URL: databaseUrl }, JSON.stringify(enabled));
    const app = await testApp({ databaseUrl });
    for (const name of ['few', 'pbkdf2']) {
      expect((await signIn(app, `m-${name}`, `pässwörd ${name}`)).status).toBe(200);
    }
  });

  it('gives a group the role that is named for it', async () => {
    const { databaseUrl, ended } = await carryOver('keycloak.json', '--from', 'keycloak', '--role', 'staff=editor');
    expect(ended.err).not.toContain('roles');
    const rows = await rowsOf(databaseUrl);
    expect(rows.filter(({ roles }) => roles.includes('editor'))).toHaveLength(5);
  });
});

describe('exports of other systems', () => {
  it.each(exportCases)('$system, $file: users come with what they are, and sign in as before', async (each) => {
    const options = ['--from', each.system, ...(each.options ?? [])];
    const { ended, again, databaseUrl } = await carryOver(each.file, ...options);
    expect(ended.out).toBe(each.out);
    expect(ended.err === '' ? [] : ended.err.split('\n').toSorted()).toEqual(each.notes);
    const refused = Number(/(\d+) refused/.exec(each.out)?.[1]);
    expect([ended.code, again.code]).toEqual(refused > 0 ? [1, 1] : [0, 0]);
    expect(again.out).toContain(' 0 imported');
    const app = await testApp({ databaseUrl });
    let first: unknown;
    for (const [identifier, password, status] of each.signIns) {
      const wrong = await signIn(app, identifier, `${password}!`);
      const answer = await signIn(app, identifier, password);
      expect([identifier, wrong.status, answer.status]).toEqual([identifier, 401, status]);
      first ??= answer.body.user;
    }
    expect(first).toMatchObject(each.first);
  });

  it('what users edit themselves gives no role, and a confirmed phone confirms no address', async () => {
    const imported = async (system: string, user: object) => {
      const databaseUrl = await createDatabase();
      const app = await testApp({ databaseUrl });
      await makeRole(app, 'editor', []);
      await app.close();
      const { err } = await runImport(['--from', system], { DATABASE_URL: databaseUrl }, JSON.stringify([user]));
      return { err, rows: await rowsOf(databaseUrl) };
    };
    const traits = { email: 'ann@kratos.example', roles: ['editor'] };
    expect(await imported('kratos', { traits })).toMatchObject({
      err: 'user 1: note: traits: roles: Not granted, since users edit their own traits',
      rows: [{ roles: ['user'] }],
    });
    expect(await imported('kratos', { traits, metadata_admin: { roles: ['editor'] } })).toMatchObject({
      rows: [{ roles: ['user', 'editor'] }],
    });
    const ben = { id: '2c1d9a3e-5a0f-4f0e-8f6a-7a6f0c6d1b09', email: 'ben@supabase.example', phone: '4915112345678' };
    const confirmed_at = '2024-03-01T10:20:30+00:00';
    const metadata = { raw_user_meta_data: { role: 'editor', roles: ['editor'] } };
    expect(
      await imported('supabase', { ...ben, ...metadata, confirmed_at, phone_confirmed_at: confirmed_at }),
    ).toMatchObject({
      rows: [{ roles: ['user'], verified: false }],
    });
  });

  it('an id that is no UUID leads to the same UUID every time, which others can find', async () => {
    const { databaseUrl } = await carryOver('auth0-support.ndjson', '--from', 'auth0');
    const expression =
      "overlay(overlay(md5('auth0:60425dc43519d90068f82973') placing '8' from 13) placing '8' from 17)::uuid";
    const rows = await withClient(
      databaseUrl,
      async (client) => (await client.query(`select 1 from users where id = ${expression}`)).rows,
    );
    expect(rows).toHaveLength(1);
  });

  it('Firebase without the parameters of its project, and a file of another kind, say what is wrong', async () => {
    const noConfig = await carryOver('firebase.json', '--from', 'firebase');
    expect(noConfig.ended).toMatchObject({ code: 2, out: '', err: expect.stringContaining('--hash-config') });
    const notJson = await carryOver('firebase-hash-config.txt', '--from', 'keycloak');
    expect(notJson.ended).toMatchObject({ code: 2, err: expect.stringContaining('Not JSON') });
    const other = await carryOver('kratos.json', '--from', 'better-auth');
    expect(other.ended).toMatchObject({ code: 2, err: expect.stringContaining('account or accounts') });
    expect((await carryOver('kratos.json', '--from', 'elsewhere')).ended).toMatchObject({
      code: 2,
      err: expect.stringContaining('Usage'),
    });
  });

  it('for Workers, a hash that they do not verify leaves its user without a password; a line of NDJSON is refused', async () => {
    const databaseUrl = await createDatabase();
    const hash = '$2b$13$abcdefghijklmnopqrstuuZVEMa1pjhlynBQ1qXmSvGBJpN9h1w8G';
    const line = `${JSON.stringify({ username: 'ann', password_hash: hash })}\n`;
    const run = (...options: string[]) => runImport(options, { DATABASE_URL: databaseUrl }, line);
    const reason = 'bcrypt of cost 13: Workers verifies 4 to 12';
    expect(await run('--runtime', 'workers')).toMatchObject({ code: 1, err: `line 1: password_hash: ${reason}` });
    expect(await run('--dry-run')).toMatchObject({
      code: 0,
      err: `line 1: note: password_hash: Only the service on Node verifies this hash. ${reason}`,
    });
    expect(await run('--runtime', 'node')).toMatchObject({ code: 0, err: '' });
    const identity = [
      { traits: { username: 'ben' }, credentials: { password: { config: { hashed_password: hash } } } },
    ];
    const options = ['--from', 'kratos', '--runtime', 'workers'];
    expect(await runImport(options, { DATABASE_URL: databaseUrl }, JSON.stringify(identity))).toMatchObject({
      code: 0,
      err: `user 1: note: password_hash: The user arrives without a password: ${reason}`,
    });
  });
});
