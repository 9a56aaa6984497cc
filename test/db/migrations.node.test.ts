// Node only: migrations run from the command line and at the start of the Node entry, never in a Worker.
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DrizzleSnapshotJSON, generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { skeletonOf } from '../../src/accounts/confusables.ts';
import * as schema from '../../src/db/schema.ts';
import { migrate, rollback } from '../../src/platform/postgres-migrations.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { createEmptyDatabase, databaseByParts, describeSchema, withClient } from './catalog.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'drizzle');
const read = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(folder, file), 'utf8'));
const journal = z.object({ entries: z.array(z.object({ tag: z.string() })).min(1) });
const { entries } = journal.parse(await read('meta/_journal.json'));
/** Oldest first. */
const tags = entries.map(({ tag }) => tag);

const applied = (url: string) =>
  withClient(url, async (client) => {
    const { rows } = await client.query('select count(*)::int as count from drizzle.__drizzle_migrations');
    return rows[0]?.count;
  });

describe('the migrations', () => {
  it('go up, down step by step and up again, and the schema is the same', async () => {
    const url = await createEmptyDatabase();
    const empty = await describeSchema(url);
    await migrate(url);
    const full = await describeSchema(url);
    expect(full['relations']?.length).toBeGreaterThan(empty['relations']?.length ?? 0);

    for (let steps = 1; steps <= tags.length; steps += 1) {
      for (const tag of tags.toReversed().slice(0, steps)) expect(await rollback(url)).toBe(tag);
      expect(await applied(url)).toBe(tags.length - steps);
      if (steps === tags.length) {
        // Nothing is left but drizzle's own notes, and they are empty.
        expect(await describeSchema(url)).toEqual(empty);
        expect(await rollback(url)).toBeUndefined();
      }
      await migrate(url);
      expect(await describeSchema(url)).toEqual(full);
    }
  });

  it('can be applied again, which changes nothing', async () => {
    const url = await createEmptyDatabase();
    await migrate(url);
    const once = await describeSchema(url);
    await withClient(url, (client) =>
      client.query(`insert into users (id, created_at, updated_at) values (gen_random_uuid(), now(), now())`),
    );
    await migrate(url);
    expect(await describeSchema(url)).toEqual(once);
    const { rows } = await withClient(url, (client) => client.query('select 1 from users'));
    expect(rows).toHaveLength(1);
  });

  it('have a file that takes each of them back', async () => {
    const files = await readdir(folder);
    expect(files.filter((file) => file.endsWith('.sql')).sort()).toEqual(
      tags.flatMap((tag) => [`${tag}.down.sql`, `${tag}.sql`]).sort(),
    );
  });

  it('make the schema that the code describes', async () => {
    const [migrated, described] = [await createEmptyDatabase(), await createEmptyDatabase()];
    await migrate(migrated);
    const statements = await generateMigration(generateDrizzleJson({}), generateDrizzleJson(schema));
    await withClient(described, (client) => client.query(statements.join(';\n')));
    const expected = await describeSchema(described);
    expect(expected['columns']?.length).toBeGreaterThan(50);
    const { functions, triggers, ...tables } = await describeSchema(migrated);
    expect({ ...tables, functions: [], triggers: [] }).toEqual(expected);
    // What drizzle cannot describe.
    expect(functions?.map((text) => text.split('(')[0])).toEqual(['keep_user_roles', 'note_session_step']);
    expect(triggers?.map((text) => text.split(' ')[2])).toEqual([
      'sessions_stepped',
      'users_roles_changed',
      'users_roles_given',
    ]);
  });

  it('leave `drizzle-kit generate` nothing to do', async () => {
    const newest = tags.at(-1)?.slice(0, 4);
    // A file that drizzle-kit wrote itself, in its own form.
    const snapshot = (await read(`meta/${newest}_snapshot.json`)) as DrizzleSnapshotJSON;
    expect(await generateMigration(snapshot, generateDrizzleJson(schema, snapshot.id))).toEqual([]);
    // The comparison would tell: without one of the tables it has something to do.
    const { outbox, ...others } = schema;
    expect(outbox).toBeDefined();
    expect(await generateMigration(snapshot, generateDrizzleJson(others, snapshot.id))).not.toEqual([]);
  });
});

describe('several replicas that start at once', () => {
  it('take turns on an empty database, and all of them succeed', async () => {
    const url = await createEmptyDatabase();
    await Promise.all(Array.from({ length: 5 }, () => migrate(url)));
    expect(await applied(url)).toBe(tags.length);
    const steps = await Promise.all(Array.from({ length: tags.length + 1 }, () => rollback(url)));
    expect(steps.filter((step) => step !== undefined).sort()).toEqual(tags);
  });

  it('are told, each by its own promise, when their connection ends while they work or wait', async () => {
    const url = await createEmptyDatabase();
    await migrate(url);
    const proxy = await startTcpProxy(Number(new URL(url).port));
    const proxied = Object.assign(new URL(url), { port: proxy.port }).href;
    const migrating = `from pg_stat_activity
      where datname = current_database() and application_name = 'edge-auth-migrate' and wait_event_type = 'Lock'`;
    await withClient(url, (locker) =>
      withClient(url, async (observer) => {
        await locker.query('begin; lock table drizzle.__drizzle_migrations');
        // The first stops at that table, and holds the lock for which the second waits.
        const both = Promise.allSettled([migrate(proxied), migrate(proxied)]);
        await expect.poll(async () => (await observer.query(`select pid ${migrating}`)).rowCount).toBe(2);
        await proxy.stop();
        for (const outcome of await both) expect(outcome).toMatchObject({ status: 'rejected' });
      }),
    );
    await migrate(url);
  });

  it('tell that they wait for another one, and stop waiting when they are to end', async () => {
    const url = await createEmptyDatabase();
    await withClient(url, async (other) => {
      await other.query('begin; select pg_advisory_xact_lock(111481905832309)');
      const waits: string[] = [];
      const ending = new AbortController();
      const onWait = (what: string) => void waits.push(what);
      const waiting = migrate(url, { signal: ending.signal, onWait });
      await expect.poll(() => waits).toEqual(['another migration']);
      ending.abort();
      await expect(waiting).rejects.toThrow();
      await expect(migrate(url, { signal: ending.signal })).rejects.toThrow();
    });
    await migrate(url);
  });
});

describe('a table that another session holds', () => {
  it('makes a migration try again, so that nobody has to wait behind it for long', async () => {
    const url = await createEmptyDatabase();
    await migrate(url);
    await withClient(url, async (holder) => {
      await holder.query('begin; lock table drizzle.__drizzle_migrations in access exclusive mode');
      const onWait = Promise.withResolvers<string>();
      const migrating = migrate(url, { onWait: onWait.resolve });
      expect(await onWait.promise).toBe('another session that locks a table');
      const { rows } = await holder.query(`select 1 from pg_locks where not granted
        and database = (select oid from pg_database where datname = current_database())`);
      expect(rows).toEqual([]);
      await holder.query('commit');
      await migrating;
    });
  });
});

describe('the command', () => {
  const run = (argument: string, url: string | undefined) =>
    runWith(argument, url === undefined ? {} : { DATABASE_URL: url });

  async function runWith(argument: string, variables: Readonly<Record<string, string>>) {
    const { DATABASE_URL: _, ...environment } = process.env;
    const env = { ...environment, ...variables };
    return await new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const script = join(root, 'src/cli/migrate.ts');
      execFile(process.execPath, [script, argument], { env }, (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: out.trim(), err: err.trim() });
      });
    });
  }

  it('applies what is missing, and takes back one step', async () => {
    const url = await createEmptyDatabase();
    expect(await run('up', url)).toEqual({ code: 0, out: 'The schema is up to date', err: '' });
    expect(await applied(url)).toBe(tags.length);
    expect(await run('down', url)).toEqual({ code: 0, out: `Rolled back: ${tags.at(-1)}`, err: '' });
    expect(await applied(url)).toBe(tags.length - 1);
  });

  it('finds the database by the older names too', async () => {
    const url = await createEmptyDatabase();
    const done = await runWith('up', databaseByParts(url));
    expect(done).toEqual({ code: 0, out: 'The schema is up to date', err: '' });
    expect(await applied(url)).toBe(tags.length);
  });

  it('sends nothing to another host without TLS outside development, unless that is allowed, as the service', async () => {
    const [url, name] = ['postgres://user:secret@database.invalid/none', 'DATABASE_URL'];
    const refused =
      /^The schema is unchanged: .+DATABASE_URL: sends to another host without TLS that checks the certificate\. .+ALLOW_PLAINTEXT=DATABASE_URL /;
    for (const step of ['up', 'down']) {
      expect(await runWith(step, { [name]: url })).toEqual({ code: 1, out: '', err: expect.stringMatching(refused) });
    }
    const allowed = [{ ALLOW_PLAINTEXT: name }, { ENVIRONMENT: 'dev' }, { [name]: `${url}?sslmode=require` }];
    for (const each of allowed) {
      const { code, err } = await runWith('up', { [name]: url, ...each });
      expect([code, err]).toEqual([1, expect.stringContaining('database.invalid')]);
      expect(err).not.toContain('secret');
    }
  });

  it('says in one line what it lacks, and never the password', async () => {
    const hole = await startTcpProxy();
    await hole.stop();
    const wrong = [`127.0.0.1:${hole.port}`, '127.0.0.1:port'].map((host) => `postgres://user:secret@${host}/none`);
    const [unset, unknown, ...unusable] = await Promise.all([
      run('up', undefined),
      run('sideways', 'postgres://127.0.0.1/none'),
      ...wrong.map((url) => run('up', url)),
    ]);
    expect(unset).toEqual({
      code: 1,
      out: '',
      err: expect.stringContaining('DATABASE_URL: Required. Such as postgres://'),
    });
    expect(unknown).toEqual({ code: 1, out: '', err: expect.stringMatching(/^Usage: migrate.ts up /) });
    for (const { code, out, err } of unusable) {
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/^The schema is unchanged: .+$/);
      expect(err).not.toContain('secret');
    }
  });
});

it('usernames from before get what they look like, where nobody has that name', async () => {
  const url = await createEmptyDatabase();
  await migrate(url);
  while ((await rollback(url)) !== '0006_username_skeleton');
  const names = ['admin', 'аdmin', 'росо', 'poсo', 'ольга', 'ann', 'ёж'];
  await withClient(url, async (client) => {
    for (const [n, name] of names.entries()) {
      await client.query(
        `insert into users (id, username, username_key, created_at, updated_at)
         values (gen_random_uuid(), $1, $1, now() + $2 * interval '1 second', now())`,
        [name, n],
      );
    }
  });
  await migrate(url);
  const { rows } = await withClient(url, (client) =>
    client.query('select username_key as name, username_skeleton as look from users order by created_at'),
  );
  const looks = Object.fromEntries(rows.map(({ name, look }) => [name, look]));
  expect(looks).toEqual({
    ...{
      admin: null,
      аdmin: null,
      росо: 'poco',
      poсo: null,
      ольга: skeletonOf('ольга'),
      ann: null,
      ёж: skeletonOf('ёж'),
    },
  });
});
