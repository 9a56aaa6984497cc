// Node only: the command runs on Node.
import { describe, expect, inject, it } from 'vitest';
import { createAdminUsage } from '../../src/cli/create-admin.ts';
import { eventsUsage } from '../../src/cli/events.ts';
import { importUsage } from '../../src/cli/import.ts';
import { retireKeyUsage, rotateKeysUsage } from '../../src/cli/keys.ts';
import { resealUsage } from '../../src/cli/reseal.ts';
import { createEmptyDatabase, databaseByParts, withClient } from '../db/catalog.ts';
import { makeRole } from '../support/admin.ts';
import { everyRow } from '../support/dump.ts';
import { webhooks } from '../support/events.ts';
import { secretsTo } from '../support/mail.ts';
import { runCli, runImport, startCli, toNdjson } from '../support/run-cli.ts';
import { olderSecret, testSecret } from '../support/secret.ts';
import { createDatabase, password, registerUser, testApp } from '../support/test-app.ts';
import { hashes } from './older-services.ts';

const [{ hash }] = hashes;
const importInto = (databaseUrl: string, lines: readonly unknown[], ...options: string[]) =>
  runImport(options, { DATABASE_URL: databaseUrl }, toNdjson(lines));

const count = (databaseUrl: string, what = 'users') =>
  withClient(databaseUrl, async (client) => (await client.query(`select count(*)::int from ${what}`)).rows[0].count);

const report = (lines: number, imported: number, present: number, refused: number) =>
  `${lines} line${lines === 1 ? '' : 's'}: ${imported} imported, ${present} already here, ${refused} refused`;

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

describe('the import', () => {
  it('says what would happen and writes nothing, then writes it, then finds everybody there', async () => {
    const databaseUrl = await createDatabase();
    const lines = [
      { email: 'Ann@Example.com', username: 'Ann', name: 'Ann', surname: '', phone_number: '+1 (415) 555-0100' },
      { username: 'ben', password_hash: hash, disabled: true, created_at: '2020-02-03T04:05:06.789123+01:00' },
      { id: id(1).toUpperCase(), email: 'cyd@example.com', email_verified: true, locale: 'pt-br', roles: [] },
    ];
    const dry = await importInto(databaseUrl, lines, '--dry-run');
    expect(dry).toEqual({ code: 0, out: '3 lines: 3 to import, 0 already here, 0 refused', err: '' });
    expect([await count(databaseUrl), await count(databaseUrl, 'audit_log')]).toEqual([0, 0]);

    expect(await importInto(databaseUrl, lines)).toEqual({ code: 0, out: report(3, 3, 0, 0), err: '' });
    const rows = () =>
      withClient(databaseUrl, async (client) => (await client.query('select * from users order by created_at')).rows);
    const written = await rows();
    expect(written).toMatchObject([
      { username: 'ben', password_hash: hash, status: 'disabled', created_at: new Date('2020-02-03T03:05:06.789Z') },
      { username_key: 'ann', password_hash: null, email_verified_at: null, roles: ['user'], status: 'active' },
      { id: id(1), email_verified_at: expect.any(Date), locale: 'pt-BR', roles: ['user'] },
    ]);
    expect(JSON.stringify(written)).not.toMatch(/example|4155550100|"Ann"[^,]/);

    // Also under a later time, and with the names written in another way.
    const again = [{ ...lines[0], email: 'ANN@example.com', created_at: '2021-01-01T00:00:00' }, ...lines.slice(1)];
    expect(await importInto(databaseUrl, again)).toEqual({ code: 0, out: report(3, 0, 3, 0), err: '' });
    const dryAgain = await importInto(databaseUrl, lines, '--dry-run');
    expect(dryAgain.out).toBe('3 lines: 0 to import, 3 already here, 0 refused');
    expect(await rows()).toEqual(written);
    expect(await count(databaseUrl, 'audit_log')).toBe(3);
  });

  it('tells other services of everybody once, and of who is disabled', async () => {
    const databaseUrl = await createDatabase();
    const lines = [{ username: 'ann' }, { username: 'ben', disabled: true }, { username: 'cyd' }];
    for (let times = 0; times < 2; times += 1) {
      await runImport([], { DATABASE_URL: databaseUrl, ...webhooks('a') }, toNdjson(lines));
    }
    const { rows } = await withClient(databaseUrl, (client) =>
      client.query(
        'select u.username, o.type from outbox as o join users as u on u.id = o.subject order by u.username, o.position',
      ),
    );
    expect(rows.map(({ username, type }) => [username, type])).toEqual([
      ['ann', 'UserCreated'],
      ['ben', 'UserCreated'],
      ['ben', 'UserUpdated'],
      ['cyd', 'UserCreated'],
    ]);
  });

  it('leaves accounts as they are, and refuses whoever would take a name or an id from one', async () => {
    const app = await testApp();
    const [ann, bea, cyd, dan] = await Promise.all(
      ['ann', 'bea', 'cyd', 'dan'].map((username) => registerUser(app, { username })),
    );
    const before = await everyRow(app);
    const ended = await importInto(app.databaseUrl, [
      { email: ann?.email, password_hash: hash, roles: ['admin'] },
      { username: 'ANN', password_hash: hash },
      { id: id(1), email: bea?.email },
      { id: id(2), email: 'new@example.com', username: 'bea' },
      { email: 'other@example.com', username: 'cyd' },
      { id: cyd?.id, email: 'stranger@example.com' },
      { id: dan?.id, username: 'Dan' },
    ]);
    const problems = [
      'line 3: email: Belongs to another account',
      'line 4: username: Belongs to another account',
      'line 5: username: Belongs to another account',
      'line 6: id: Belongs to an account with another email address or username',
    ];
    expect(ended).toEqual({ code: 1, out: report(7, 0, 3, 4), err: problems.join('\n') });
    expect(await everyRow(app)).toEqual(before);
  });

  it.each(['with an id', 'without one'])('knows who has changed their address since: %s', async (which) => {
    const app = await testApp();
    const passwordHash = await app.deps.hasher.hash(password);
    const own = which === 'with an id' ? { id: id(1) } : {};
    const moved = { ...own, email: 'old@example.com', email_verified: true, password_hash: passwordHash };
    const stayed = { id: id(2), email: 'stayed@example.com' };
    await importInto(app.databaseUrl, [moved, stayed]);
    const { body } = await app.request('POST', '/auth/login', { body: { email: moved.email, password } });
    await app.request('POST', '/users/change-email', { token: body.access_token, body: { email: 'new@example.com' } });
    const { token } = secretsTo(app, 'new@example.com');
    expect((await app.request('POST', '/auth/confirm-email-change', { body: { token } })).status).toBe(200);

    const before = await everyRow(app);
    const again = await importInto(app.databaseUrl, [moved, { ...stayed, email: 'stranger@example.com' }]);
    const problem = 'line 2: id: Belongs to an account with another email address or username';
    expect(again).toEqual({ code: 1, out: report(2, 0, 1, 1), err: problem });
    expect(await everyRow(app)).toEqual(before);
  });

  it('gives the roles that there are, and no others', async () => {
    const app = await testApp();
    await makeRole(app, 'editor', []);
    const lines = [
      { username: 'ann', roles: ['editor', 'user'] },
      { username: 'ben', roles: ['ghost'] },
    ];
    const { code, out, err } = await importInto(app.databaseUrl, lines);
    expect([code, out]).toEqual([1, report(2, 1, 0, 1)]);
    expect(err).toMatch(/^line 2: roles\.0: Must be one of/);
    const rows = await withClient(
      app.databaseUrl,
      async (client) => (await client.query('select roles from users')).rows,
    );
    expect(rows).toEqual([{ roles: ['editor', 'user'] }]);
  });

  it('finds people under each secret while one is replaced', async () => {
    const databaseUrl = await createDatabase('keyless');
    const [line, old] = [{ email: 'ann@example.com', created_at: '2020-01-01T00:00:00Z' }, olderSecret];
    const run = (secrets: Record<string, string>) =>
      runImport([], { DATABASE_URL: databaseUrl, ...secrets }, toNdjson([line]));
    expect((await run({ AUTH_SECRET: old })).out).toBe(report(1, 1, 0, 0));
    expect((await run({ AUTH_SECRET: testSecret, AUTH_SECRET_PREVIOUS: old })).out).toBe(report(1, 0, 1, 0));
  });

  it('skips wrong lines and tells of each by number and field, never by value', async () => {
    const app = await testApp();
    const secret = 'CANARY';
    const lines: [line: unknown, problem: string][] = [
      [{ email: `${secret}@nowhere` }, 'email: Enter an email address such as ann@example.com'],
      [{ name: 'Nobody' }, 'email: Enter an email address, a username, or both'],
      [{ email: `${secret}@example.com`, password_hash: 'plain' }, 'password_hash: Not a supported kind'],
      [{ username: 'a', pasword_hash: hash }, 'pasword_hash: Unknown field'],
      [{ username: 'a', [`${secret}@example.com`]: 1 }, 'Unknown field'],
      [{ username: `${secret} with blanks` }, 'username: Use 1 to 64'],
      [{ login: `${secret}\tx` }, 'login: Is neither an email address nor a valid name'],
      [
        { login: 'a', username: 'b' },
        'login: Contains an email address or a username. Use it without the other two fields',
      ],
      [{ username: 'a', id: 7 }, 'id: Not a UUID'],
      [{ username: 'a', id: secret }, 'id: Not a UUID'],
      [{ username: 'a', roles: [secret] }, 'roles.0: Must be one of: user, admin'],
      [{ username: 'a', roles: secret }, 'roles: Must be a list'],
      [{ username: 'a', disabled: secret }, 'disabled: Must be true or false'],
      [{ username: 'a', created_at: secret }, 'created_at: Not a time'],
      [{ username: 'a', created_at: 'infinity' }, 'created_at: Not a time'],
      [{ username: 'a', created_at: '1969-12-31T23:59:59Z' }, 'created_at: Not between 1970 and now'],
      [{ username: 'a', created_at: '2999-01-01T00:00:00Z' }, 'created_at: Not between 1970 and now'],
      [{ username: 'a', phone_number: secret }, 'phone_number: Enter a number in international form'],
      [{ username: 'a', locale: `${secret}!` }, 'locale: Enter a language tag'],
      [[{ username: 'a' }], 'Must be an object'],
      [null, 'Must be an object'],
    ];
    const good = { email: 'good@example.com', username: 'good' };
    const repeated = [{ email: 'GOOD@Example.com' }, { id: id(1), username: 'x' }, { id: id(1), username: 'Good' }];
    const file = [...lines.map(([line]) => line), good, ...repeated];
    const { code, out, err } = await importInto(app.databaseUrl, file);
    expect([code, out]).toEqual([1, report(file.length, 2, 0, lines.length + 2)]);
    const told = err.split('\n');
    const expected = lines.map(([, problem], n) => expect.stringContaining(`line ${n + 1}: ${problem}`));
    const same = 'Repeats an earlier line';
    const last = [`line 23: email: ${same}`, `line 25: id: ${same}`, `line 25: username: ${same}`];
    expect(told).toEqual([...expected, ...last]);
    expect(err + out).not.toMatch(/CANARY|good|\$2a\$10/i);
  });

  it('refuses hashes that would keep the service busy, without hashing', async () => {
    const databaseUrl = await createDatabase();
    const salt = 'c2FsdHNhbHRzYWx0c2FsdA';
    const tag = 'dGFndGFndGFndGFndGFndGFndGFndGFndGFndGFndGE';
    const parts = hash.slice(7);
    const refused = [
      `$2b$31$${parts}`,
      `$2b$15$${parts}`,
      `$2b$03$${parts}`,
      `$2x$10$${parts}`,
      `$2b$10$${parts}\n`,
      `$scrypt$ln=30,r=8,p=1$${salt}$${tag}`,
      `$scrypt$ln=14,r=8,p=1000$${salt}$${tag}`,
      `$argon2id$v=19$m=4194304,t=3,p=1$${salt}$${tag}`,
      `$argon2id$v=19$m=65536,t=1000,p=1$${salt}$${tag}`,
      // Of a pepper that nobody here has.
      `$argon2id$v=19$m=19456,t=2,p=1,keyid=AAAAAAAA$${salt}$${tag}`,
      `scrypt:32768:8:1$${salt}$${tag}`,
      `pbkdf2:sha256:600000$${salt}$${tag}`,
      '5f4dcc3b5aa765d61d8327deb882cf99',
      'x'.repeat(60_000),
    ];
    const verified = [
      `$2b$14$${parts}`,
      `$scrypt$ln=14,r=8,p=1$${salt}$${tag}`,
      `$argon2id$v=19$m=65536,t=3,p=4$${salt}$${tag}`,
    ];
    const lines = [...refused, ...verified].map((password_hash, n) => ({ username: `user${n}`, password_hash }));
    const { code, out, err } = await importInto(databaseUrl, lines);
    expect([code, out]).toEqual([1, report(17, 3, 0, 14)]);
    expect(err.split('\n').map((line) => line.split(':').slice(0, 2).join(':'))).toEqual([
      ...refused.map((_, n) => `line ${n + 1}: password_hash`),
      `line ${refused.length + 1}: note`,
    ]);
  });

  it('stands hostile files', async () => {
    const databaseUrl = await createDatabase();
    const inject = "'); drop table users; --";
    const lines: [line: string | Uint8Array, problem: string][] = [
      ['{"username":"a"', 'Not JSON'],
      ['NaN', 'Not JSON'],
      ['['.repeat(60_000), 'Not JSON'],
      [`{"username":"a","name":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 'name: '],
      [`{"username":"a","name":"${'x'.repeat(70_000)}"}`, 'Longer than'],
      [`{"username":"a","name":"${'x'.repeat(5_000_000)}"}`, 'Longer than'],
      [`{"username":"a","name":"${'\u0300'.repeat(30_000)}"}`, 'name: '],
      ['{"username":"a","name":"\\u0000"}', 'name: Remove control characters'],
      ['{"username":"a\\u0000"}', 'username: '],
      ['{"email":"a\\u0000@example.com"}', 'email: '],
      ['{"username":"a","name":"\\ud800"}', 'name: Remove control characters'],
      ['{"username":"\\ud800"}', 'username: '],
      ['{"email":"\\udfff@example.com"}', 'email: '],
      ['{"username":"a","username":"b"}', 'A field appears twice'],
      ['{"username":"a","user\\u006eame" : "b"}', 'A field appears twice'],
      ['{"username":"a","__proto__":{"roles":["admin"]}}', 'Unknown field'],
      ['{"username":"a","constructor":1}', 'constructor: Unknown field'],
      [Uint8Array.of(0x22, 0xff, 0xfe, 0x22), 'Longer than 65536 bytes, or not UTF-8'],
    ];
    const harmless = [
      `\ufeff${JSON.stringify({ username: 'bom', name: inject, surname: '{"username":"a","a":1}' })}\r`,
      '',
      '   ',
      JSON.stringify({ email: `o'neill@example.com`, name: '$1 \\"name": %s' }),
    ];
    const file = Buffer.concat(
      [...lines.map(([line]) => line), ...harmless].flatMap((line) => [Buffer.from(line), Buffer.from('\n')]),
    );
    const { code, out, err } = await runImport([], { DATABASE_URL: databaseUrl }, file);
    expect(err.split('\n')).toEqual(
      lines.map(([, problem], n) => expect.stringContaining(`line ${n + 1}: ${problem}`)),
    );
    expect([code, out]).toEqual([1, report(22, 2, 0, 18)]);
    expect(await count(databaseUrl)).toBe(2);
  });
});

describe('an import that is stopped or meets others', () => {
  const lines = Array.from({ length: 1000 }, (_, n) => ({ email: `user${n}@example.com`, password_hash: hash }));

  it('goes on after kill -9, to the same result', async () => {
    const databaseUrl = await createDatabase();
    const first = startCli(['import', '-'], { DATABASE_URL: databaseUrl });
    // It waits for the rest of a batch, in the middle of a line.
    first.input.write(toNdjson(lines.slice(0, 500)).slice(0, -20));
    await expect.poll(() => count(databaseUrl)).toBe(400);
    first.kill();
    expect((await first.ended).code).toBeNull();
    expect(await importInto(databaseUrl, lines)).toEqual({ code: 0, out: report(1000, 600, 400, 0), err: '' });
    expect([await count(databaseUrl), await count(databaseUrl, 'audit_log')]).toEqual([1000, 1000]);
  });

  it('says how far it is, and remembers names from the first line to the last', async () => {
    const databaseUrl = await createDatabase();
    const file = toNdjson(Array.from({ length: 5001 }, (_, n) => ({ username: n === 10 ? '' : `user${n % 5000}` })));
    const { out, err } = await runImport(['--dry-run'], { DATABASE_URL: databaseUrl }, file);
    const problems = [
      'line 11: email: Enter an email address, a username, or both',
      'line 5001: username: Repeats an earlier line',
    ];
    expect(err).toBe(problems.join('\n'));
    expect(out.split('\n')).toEqual([
      '5000 lines: 4999 to import, 0 already here, 1 refused',
      '5001 lines: 4999 to import, 0 already here, 2 refused',
    ]);
  });

  it('writes everybody once where two run at the same time', async () => {
    const databaseUrl = await createDatabase();
    const both = await Promise.all([importInto(databaseUrl, lines), importInto(databaseUrl, lines)]);
    const figures = both.map(({ code, out }) => [code, ...(out.match(/\d+/g) ?? []).map(Number)]);
    const sum = figures[0]?.map((figure, n) => Number(figure) + Number(figures[1]?.[n]));
    expect(sum).toEqual([0, 2000, 1000, 1000, 0]);
    expect([await count(databaseUrl), await count(databaseUrl, 'audit_log')]).toEqual([1000, 1000]);
  });

  it('works with Neon over HTTP, two statements for each batch, and its users sign in', async () => {
    const app = await testApp();
    const neon = inject('neonEndpoint');
    const database = new URL(app.databaseUrl).pathname.slice(1);
    const counters = `${new URL(neon).origin}/counters?database=${database}`;
    await (await fetch(counters, { method: 'DELETE' })).text();
    const some = [...lines.slice(0, 399), { username: 'argon', password_hash: await app.deps.hasher.hash(password) }];
    const variables = { DATABASE_URL: app.databaseUrl, NEON_HTTP_ENDPOINT: neon };
    expect(await runCli(['import', '-'], variables, toNdjson(some))).toEqual({
      code: 0,
      out: report(400, 400, 0, 0),
      err: '',
    });
    expect(await (await fetch(counters)).json()).toMatchObject({ requests: 6, statements: 6 });
    const good = { identifier: 'argon', password };
    expect((await app.request('POST', '/auth/login', { body: good })).status).toBe(200);
  });
});

describe('the command', () => {
  it('finds the database by its older names too', async () => {
    const databaseUrl = await createDatabase();
    const older = databaseByParts(databaseUrl);
    expect(await runImport([], older, toNdjson([{ username: 'ann' }]))).toEqual({
      code: 0,
      out: report(1, 1, 0, 0),
      err: '',
    });
    expect(await count(databaseUrl)).toBe(1);
  });

  it('lists its commands, and explains each, with no variable set', async () => {
    const runs = await Promise.all([[], ['import', '--help']].map((args) => runCli(args, {})));
    expect(runs.map(({ code, err }) => [code, err])).toEqual(Array(2).fill([0, '']));
    const [general = '', ofImport] = runs.map(({ out }) => out);
    for (const name of ['create-admin', 'events', 'import', 'reseal', 'rotate-keys', 'retire-key']) {
      expect(general).toMatch(new RegExp(`^  ${name} +\\w`, 'm'));
    }
    expect(ofImport).toMatch(/^Usage: npm run cli -- import/);
    const usages = [createAdminUsage, eventsUsage, importUsage, resealUsage, rotateKeysUsage, retireKeyUsage];
    for (const usage of usages) expect(usage).toMatch(/^Usage: npm run cli -- [a-z-]+ /);
  });

  it('says in one line what it lacks, and never a secret or what it read', async () => {
    const databaseUrl = await createDatabase();
    const refused = 'postgres://user:CANARY@127.0.0.1:1/none';
    const line = toNdjson([{ email: 'canary@example.com', password_hash: hash }]);
    const empty = await createEmptyDatabase();
    const runs = await Promise.all([
      runCli(['toString'], {}),
      runImport(['--force'], {}, line),
      runImport(['another'], {}, line),
      runImport([], { AUTH_SECRET: 'CANARY', DATABASE_URL: 'CANARY' }, line),
      runImport([], {}, line),
      runCli(['import', '/nonexistent'], { DATABASE_URL: databaseUrl }),
      runImport([], { DATABASE_URL: refused }, line),
      runImport([], { DATABASE_URL: empty }, line),
      runImport([], { DATABASE_URL: databaseUrl, AUTH_SECRET: olderSecret }, line),
      runImport([], { DATABASE_URL: databaseUrl, NEON_HTTP_ENDPOINT: 'http://neon.invalid/sql' }, line),
    ]);
    expect(runs.map(({ code, err }) => [code, err])).toEqual([
      [2, expect.stringMatching(/^Unknown command\.\n\nUsage: npm run cli -- <command> .*\n {2}import /s)],
      ...Array(2).fill([2, expect.stringMatching(/^Usage: npm run cli -- import /)]),
      [2, expect.stringMatching(/^Invalid configuration:\n {2}AUTH_SECRET: .+\n {2}DATABASE_URL: Expected postgres/)],
      [2, expect.stringMatching(/^Invalid configuration\. DATABASE_URL: Required\. Such as postgres:/)],
      [2, 'Stopped: The file /nonexistent cannot be read (ENOENT)'],
      [2, expect.stringMatching(/^Stopped: Nothing listens at 127\.0\.0\.1:1\. Start Postgres, or correct/)],
      [
        2,
        expect.stringMatching(
          /^Stopped: The schema of the database "\w+" at .+ is not up to date\. Run `npm run db:migrate`$/,
        ),
      ],
      [2, expect.stringMatching(/^AUTH_SECRET: this database belongs to a service with another secret/)],
      [2, expect.stringMatching(/^Invalid configuration. NEON_HTTP_ENDPOINT: sends to another host without TLS/)],
    ]);
    for (const { out, err } of runs) {
      expect(out).toBe('');
      expect(err).not.toMatch(/canary/i);
    }
  });
});
