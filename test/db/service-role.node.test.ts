// Node only: the grants come with the migrations, which never run in a Worker.
import { describe, expect, it } from 'vitest';
import { migrate } from '../../src/platform/postgres-migrations.ts';
import { liveThere } from '../support/everyday-life.ts';
import { createEmptyDatabase, withClient } from './catalog.ts';

const run = (url: string, statement: string) => withClient(url, (client) => client.query(statement));

/** A migrated database, and its address for the restricted role of the service. */
async function restricted(keepAuditDays = 30): Promise<{ owner: string; service: string; role: string }> {
  const owner = await createEmptyDatabase();
  const role = `service_${crypto.randomUUID().replaceAll('-', '')}`;
  await run(owner, `create role ${role} login password 'pw'`);
  await migrate(owner, { grantTo: { role, keepAuditDays } });
  return { owner, service: Object.assign(new URL(owner), { username: role, password: 'pw' }).href, role };
}

describe('the role of the service', () => {
  it('is enough for people, admins, the start and the scheduled work', async () => {
    const { owner, service } = await restricted();
    await migrate(service);
    await liveThere(service);
    // Retention has deleted what is old by the clock of the database too, and nothing else.
    const old = `insert into audit_log (id, type, result, created_at)
      values (gen_random_uuid(), 'login', 'success', now() - interval '31 days')`;
    await run(service, old);
    expect((await run(service, 'delete from audit_log')).rowCount).toBe(1);
    expect((await run(owner, 'select 1 from audit_log')).rowCount).toBeGreaterThan(0);
  });

  it('can add to the audit log and take away whom a row is about, and change nothing else there', async () => {
    const { service } = await restricted(7);
    const row = `insert into audit_log (id, type, result, user_id, address, created_at)
      values (gen_random_uuid(), 'login', 'failure', gen_random_uuid(), '192.0.2.0', now() - interval '6 days')`;
    await run(service, row);
    await run(service, 'update audit_log set address = null');
    await expect(run(service, `update audit_log set result = 'success'`)).rejects.toThrow('only loses whom');
    await expect(run(service, 'update audit_log set user_id = gen_random_uuid()')).rejects.toThrow('only loses whom');
    await expect(run(service, `update audit_log set created_at = now() - interval '9 days'`)).rejects.toThrow();
    expect((await run(service, 'delete from audit_log')).rowCount).toBe(0);
    await expect(run(service, 'truncate audit_log')).rejects.toThrow('permission denied');
  });

  it.each([
    'create table mine (id int)',
    'alter table users add column mine int',
    'drop table sessions',
    'alter table audit_log disable row level security',
    'drop trigger audit_rows_kept on audit_log',
    'update drizzle.__drizzle_migrations set created_at = 0',
  ])('cannot: %s', async (statement) => {
    const { service } = await restricted();
    await expect(run(service, statement)).rejects.toThrow(/permission denied|must be owner/);
  });

  it('has to exist, and to be another one than the owner', async () => {
    const { owner } = await restricted();
    const grantTo = { role: 'nobody_there', keepAuditDays: 30 };
    await expect(migrate(owner, { grantTo })).rejects.toThrow('The role "nobody_there" does not exist');
    const itself = { role: new URL(owner).username, keepAuditDays: 30 };
    await expect(migrate(owner, { grantTo: itself })).rejects.toThrow('so no grant restricts it');
  });

  it('is granted its tables again after each migration', async () => {
    const { owner, role } = await restricted();
    await migrate(owner, { grantTo: { role, keepAuditDays: 5 } });
    const policy = `select pg_get_expr(polqual, polrelid) as text from pg_policy where polname = 'audit_trim'`;
    expect((await run(owner, policy)).rows[0].text).toContain('5 days');
  });
});
