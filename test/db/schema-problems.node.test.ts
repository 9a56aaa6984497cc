// Node only: migrations run from the command line and at the start of the Node entry, never in a Worker.
import { describe, expect, it } from 'vitest';
import { createPostgres } from '../../src/platform/postgres.ts';
import { migrate, rollback } from '../../src/platform/postgres-migrations.ts';
import { liveThere } from '../support/everyday-life.ts';
import { makeHostile } from '../support/hostile-defaults.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { createEmptyDatabase, withClient } from './catalog.ts';

const run = (url: string, statement: string) => withClient(url, (client) => client.query(statement));
const nameOf = (url: string) => new URL(url).pathname.slice(1);
const withRole = (url: string, role: string) => Object.assign(new URL(url), { username: role, password: 'pw' }).href;

/** A role that may do what the statements say and nothing else. It goes with the test. */
async function makeRole(url: string, ...grants: readonly string[]): Promise<string> {
  const role = `role_${crypto.randomUUID().replaceAll('-', '')}`;
  await run(url, `create role ${role} login password 'pw'`);
  for (const grant of grants) await run(url, grant.replaceAll('ROLE', role));
  return role;
}

describe('a database whose defaults are all different', () => {
  it('is migrated into the schema that comes first there, and serves', async () => {
    const url = await createEmptyDatabase();
    const { db, close } = createPostgres({ url, poolSize: 1 });
    await makeHostile(db, nameOf(url));
    await close();
    await migrate(url);
    const where = `select distinct schemaname from pg_tables where tablename in ('users', 'sessions', 'user_roles')`;
    expect((await run(url, where)).rows).toEqual([{ schemaname: 'edge' }]);
    await liveThere(url);
    // Whatever the session of an operator looks for first, the trigger finds its table.
    await run(url, `set search_path = pg_catalog; update edge.users set roles = '{user,other}'`);
    expect((await run(url, `select 1 from edge.user_roles where role = 'other'`)).rowCount).toBeGreaterThan(0);
    while ((await rollback(url)) !== undefined);
    expect((await run(url, where)).rows).toEqual([]);
  });

  it('is migrated where its role gives up statements after a millisecond', async () => {
    const url = await createEmptyDatabase();
    await run(url, `alter database ${nameOf(url)} set statement_timeout = 1`);
    await migrate(url);
  });
});

describe('a role without the right to change the schema', () => {
  it('starts where nothing is missing', async () => {
    const url = await createEmptyDatabase();
    await migrate(url);
    const role = await makeRole(
      url,
      'grant usage on schema drizzle to ROLE',
      'grant select on drizzle.__drizzle_migrations to ROLE',
    );
    await migrate(withRole(url, role));
  });

  it('is told who has to migrate where something is missing, and what to read where it may not look', async () => {
    const url = await createEmptyDatabase();
    const role = await makeRole(url);
    await expect(migrate(withRole(url, role))).rejects.toThrow(
      `The database "${nameOf(url)}" has no tables of this service yet, and the role "${role}" may not create them: run`,
    );
    await migrate(url);
    await expect(migrate(withRole(url, role))).rejects.toThrow(
      `The role "${role}" may not read which migrations the database "${nameOf(url)}" has`,
    );
    await rollback(url);
    await run(url, `grant usage on schema drizzle to ${role}; grant all on drizzle.__drizzle_migrations to ${role}`);
    await expect(migrate(withRole(url, role))).rejects.toThrow(`The role "${role}" may not change the schema`);
  });
});

describe('what stands in the way of the schema is told in a sentence', () => {
  it.each([
    ['create table users (id int)', 'has a table "users" that is not of this service'],
    ['create view sessions as select 1', 'has a table "sessions" that is not of this service'],
  ])('%s', async (statement, message) => {
    const url = await createEmptyDatabase();
    await run(url, statement);
    await expect(migrate(url)).rejects.toThrow(message);
  });

  it('a search path that leads nowhere, and one that leads elsewhere', async () => {
    const url = await createEmptyDatabase();
    const searchPath = (path: string) => run(url, `alter database ${nameOf(url)} set search_path = ${path}`);
    await searchPath(`''`);
    await expect(migrate(url)).rejects.toThrow('does not lead to the tables');
    await searchPath('public');
    await migrate(url);
    await run(url, 'create schema other; create table other.users (id int)');
    await searchPath('other, public');
    await expect(migrate(url)).rejects.toThrow(/set search_path = "public"$/);
    await searchPath('other');
    await expect(migrate(url)).rejects.toThrow(/set search_path = "public"$/);
  });

  it('a database that is missing, a server that does not listen, a host that nobody knows', async () => {
    const url = await createEmptyDatabase();
    const other = (change: Partial<URL>) => Object.assign(new URL(url), change).href;
    await expect(migrate(other({ pathname: '/none' }))).rejects.toThrow('The database "none" does not exist at ');
    const hole = await startTcpProxy(1);
    await hole.stop();
    await expect(migrate(other({ port: String(hole.port) }))).rejects.toThrow(
      `Nothing listens at 127.0.0.1:${hole.port}`,
    );
    await expect(migrate(other({ hostname: 'db.invalid' }))).rejects.toThrow('The host of the database');
  });
});
