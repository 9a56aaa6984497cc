// Node only: starts Postgres and an HTTP server as child processes and sockets of its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NeonDbError, neon, neonConfig } from '@neondatabase/serverless';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../dev/embedded-postgres.ts';
import { type NeonEndpoint, startNeonEndpoint } from '../../dev/neon-endpoint.ts';

let directory: string;
let postgres: EmbeddedPostgres;
let endpoint: NeonEndpoint;
let direct: pg.Client;
const heard: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edge-auth-neon-'));
  postgres = await startEmbeddedPostgres({ directory, durable: false });
  endpoint = await startNeonEndpoint({ postgresUrl: postgres.url, onStatement: ({ text }) => heard.push(text) });
  neonConfig.fetchEndpoint = endpoint.url;
  direct = new pg.Client(postgres.url);
  await direct.connect();
  await direct.query('CREATE TABLE person (id int PRIMARY KEY, email text NOT NULL CONSTRAINT person_email UNIQUE)');
});

afterAll(async () => {
  await direct?.end();
  await endpoint?.stop();
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  await direct.query('TRUNCATE person');
});

const rejection = async (promise: Promise<unknown>): Promise<NeonDbError> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NeonDbError);
  return error instanceof NeonDbError ? error : new NeonDbError('unreachable');
};

describe('a single statement', () => {
  it('gives rows as objects, and as arrays in array mode', async () => {
    const sql = neon(postgres.url);
    expect(await sql`SELECT ${1}::int AS a, ${'x'}::text AS b`).toEqual([{ a: 1, b: 'x' }]);
    expect(await sql.query('SELECT 1 AS a, 2 AS a', [], { arrayMode: true })).toEqual([[1, 2]]);
  });

  it('gives command, row count and fields as full results', async () => {
    const sql = neon(postgres.url, { fullResults: true });
    const inserted = await sql`INSERT INTO person VALUES (1, 'a'), (2, 'b')`;
    expect(inserted).toMatchObject({ command: 'INSERT', rowCount: 2, rows: [], fields: [] });
    const selected = await sql`SELECT id, email FROM person ORDER BY id`;
    expect(selected).toMatchObject({ command: 'SELECT', rowCount: 2, rowAsArray: false });
    expect(selected.fields).toMatchObject([
      { name: 'id', dataTypeID: 23, columnID: 1, dataTypeSize: 4, dataTypeModifier: -1, format: 'text' },
      { name: 'email', dataTypeID: 25, columnID: 2, dataTypeSize: -1 },
    ]);
    const created = await sql`CREATE TEMPORARY TABLE gone (id int) ON COMMIT DROP`;
    expect(created).toMatchObject({ command: 'CREATE', rowCount: null });
  });

  it.each([
    ['int8', '9223372036854775807', '9223372036854775807'],
    ['numeric', '1234567890.123456789', '1234567890.123456789'],
    ['timestamptz', '2026-01-02T03:04:05.678Z', new Date('2026-01-02T03:04:05.678Z')],
    ['json', '{"a":[1,null]}', { a: [1, null] }],
    ['jsonb', { a: 'ü' }, { a: 'ü' }],
    ['bytea', Buffer.from([0, 1, 255]), Buffer.from([0, 1, 255])],
    ['text[]', ['a', 'b"c', null, 'd,e\\'], ['a', 'b"c', null, 'd,e\\']],
    ['uuid', '0190c2b4-7c4a-7abc-8def-000000000001', '0190c2b4-7c4a-7abc-8def-000000000001'],
    ['bool', false, false],
    ['bool', true, true],
    ['float8', 1.5, 1.5],
    ['text', '', ''],
    ['text', 'Ünïcode 🔑 \\ \' " \n', 'Ünïcode 🔑 \\ \' " \n'],
    ['text', null, null],
    ['int8', null, null],
  ])('carries %s there and back: %j', async (type, value, expected) => {
    const [row] = await neon(postgres.url).query(`SELECT $1::${type} AS value`, [value]);
    expect(row).toEqual({ value: expected });
  });

  it('refuses several statements at once, as Neon does', async () => {
    expect(await rejection(neon(postgres.url).query('SELECT 1; SELECT 2'))).toMatchObject({ code: '42601' });
  });

  it('leaves no open transaction to the next request', async () => {
    const sql = neon(postgres.url);
    await sql`BEGIN`;
    await sql`INSERT INTO person VALUES (1, 'a')`;
    expect((await direct.query('SELECT count(*)::int AS n FROM person')).rows).toEqual([{ n: 1 }]);
  });
});

describe('errors', () => {
  it('carry SQLSTATE, constraint, table and detail', async () => {
    const sql = neon(postgres.url);
    await sql`INSERT INTO person VALUES (1, 'a')`;
    expect(await rejection(sql`INSERT INTO person VALUES (2, 'a')`)).toMatchObject({
      message: 'duplicate key value violates unique constraint "person_email"',
      code: '23505',
      severity: 'ERROR',
      constraint: 'person_email',
      table: 'person',
      schema: 'public',
      detail: 'Key (email)=(a) already exists.',
    });
    expect(await rejection(sql`INSERT INTO person VALUES (3, NULL)`)).toMatchObject({ code: '23502', column: 'email' });
    expect(await rejection(sql`SELECT nonsense`)).toMatchObject({ code: '42703', position: '8' });
  });

  it('refuse a wrong password, and tell an unknown database as a server error', async () => {
    const wrong = new URL(postgres.url);
    wrong.password = 'wrong';
    expect(await rejection(neon(wrong.href)`SELECT 1`)).toMatchObject({ message: expect.stringContaining('password') });
    const unknown = new URL('/nowhere', postgres.url);
    expect((await rejection(neon(unknown.href)`SELECT 1`)).message).toContain('HTTP status 500');
  });

  it('refuse a database elsewhere, without trying its password here', async () => {
    const before = heard.length;
    const error = await rejection(neon('postgres://user:secret@db.example.com/edge_auth')`SELECT 1`);
    expect(error.message).toBe('this endpoint serves only a local Postgres');
    expect(heard.length).toBe(before);
  });

  it('say 413 to a body over 64 MB and 400 to what is not a request', async () => {
    const headers = { 'neon-connection-string': postgres.url, 'neon-raw-text-output': 'true' };
    const send = (body: string) => fetch(endpoint.url, { method: 'POST', headers, body });
    expect((await send('{')).status).toBe(400);
    expect((await send('{"params":[]}')).status).toBe(400);
    expect((await send(`"${'x'.repeat(64 * 1024 * 1024)}"`)).status).toBe(413);
    expect((await fetch(endpoint.url, { method: 'POST', body: '{}' })).status).toBe(400);
  });

  it('survive a connection that Postgres ends', async () => {
    const sql = neon(postgres.url);
    const running = rejection(sql`SELECT pg_sleep(30)`);
    const terminate = async () =>
      (
        await direct.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)' AND state = 'active'",
        )
      ).rowCount;
    await expect.poll(terminate).toBe(1);
    expect(await running).toMatchObject({ code: '57P01' });
    expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
  });
});

describe('a batch', () => {
  it('runs in one transaction and gives each result', async () => {
    const sql = neon(postgres.url);
    const [first, second, third] = await sql.transaction([
      sql`INSERT INTO person VALUES (1, 'a') RETURNING id`,
      sql`SELECT count(*)::int AS n FROM person`,
      sql`SELECT txid_current() = txid_current() AS same`,
    ]);
    expect([first, second, third]).toEqual([[{ id: 1 }], [{ n: 1 }], [{ same: true }]]);
  });

  it('is rolled back whole at the first error', async () => {
    const sql = neon(postgres.url);
    const error = await rejection(
      sql.transaction([
        sql`INSERT INTO person VALUES (1, 'a')`,
        sql`INSERT INTO person VALUES (2, 'a')`,
        sql`INSERT INTO person VALUES (3, 'c')`,
      ]),
    );
    expect(error).toMatchObject({ code: '23505', constraint: 'person_email' });
    expect(await sql`SELECT * FROM person`).toEqual([]);
  });

  it('reports an error that appears only at commit', async () => {
    await direct.query(
      'CREATE TABLE child (id int REFERENCES person DEFERRABLE INITIALLY DEFERRED); ALTER TABLE child OWNER TO edge_auth',
    );
    const sql = neon(postgres.url);
    expect(await rejection(sql.transaction([sql`INSERT INTO child VALUES (9)`]))).toMatchObject({ code: '23503' });
    await direct.query('DROP TABLE child');
  });

  it('honours isolation level, read only and deferrable', async () => {
    const sql = neon(postgres.url);
    const settings = sql`SELECT current_setting('transaction_isolation') AS level,
      current_setting('transaction_read_only') AS ro, current_setting('transaction_deferrable') AS def`;
    const [rows] = await sql.transaction([settings], {
      isolationLevel: 'Serializable',
      readOnly: true,
      deferrable: true,
    });
    expect(rows).toEqual([{ level: 'serializable', ro: 'on', def: 'on' }]);
    const [plain] = await sql.transaction([settings], { isolationLevel: 'RepeatableRead', readOnly: false });
    expect(plain).toEqual([{ level: 'repeatable read', ro: 'off', def: 'off' }]);
    const writing = sql.transaction([sql`INSERT INTO person VALUES (1, 'a')`], { readOnly: true });
    expect(await rejection(writing)).toMatchObject({ code: '25006' });
  });
});

describe('many at once', () => {
  it('answers 200 requests in parallel, each with its own', async () => {
    const sql = neon(postgres.url);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => sql`SELECT ${n}::int AS n, pg_sleep(0.001)`),
    );
    expect(answers.map(([row]) => row?.['n'])).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  it('cancels what runs for a client that has gone', async () => {
    const leaving = new AbortController();
    const running = rejection(
      neon(postgres.url, { fetchOptions: { signal: leaving.signal } }).query('SELECT pg_sleep(25)'),
    );
    const count = async () =>
      (await direct.query("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(25)' AND state = 'active'"))
        .rowCount;
    await expect.poll(count).toBe(1);
    leaving.abort();
    await running;
    await expect.poll(count).toBe(0);
  });
});

describe('the counters', () => {
  it('count requests and statements per database, in process and over HTTP', async () => {
    const sql = neon(postgres.url);
    const http = endpoint.url.replace('/sql', '/counters?database=edge_auth');
    await fetch(http, { method: 'DELETE' });
    await sql`SELECT 1`;
    await sql.transaction([sql`SELECT 2`, sql`SELECT 3`]);
    await rejection(sql`SELECT nonsense`);
    expect(endpoint.counters('edge_auth')).toEqual({ requests: 3, statements: 4 });
    expect(await (await fetch(http)).json()).toEqual({ requests: 3, statements: 4 });
    expect(endpoint.counters('postgres')).toEqual({ requests: 0, statements: 0 });
    expect(heard.slice(-4)).toEqual(['SELECT 1', 'SELECT 2', 'SELECT 3', 'SELECT nonsense']);
    endpoint.resetCounters('edge_auth');
    expect(await (await fetch(http)).json()).toEqual({ requests: 0, statements: 0 });
  });
});
