import pg from 'pg';
import { DatabaseProblem } from './postgres-reasons.ts';
import { tables } from './postgres-schema.ts';

/** Whom the service connects as, and for how many days that role cannot delete what the audit log says. */
export interface Grant {
  readonly role: string;
  readonly keepAuditDays: number;
}

/**
 * What the role of the service may do in a schema: read and write rows. It cannot change the schema. The audit log it
 * can extend; of a row it can only take away whom it is about, as the deletion of an account does, and it can delete
 * old rows, as retention does. The owner of the tables is bound by none of this.
 */
const statements = (role: string, schema: string, keepAuditDays: number): string => {
  const [to, inside] = [pg.escapeIdentifier(role), pg.escapeIdentifier(schema)];
  const all = tables.map((name) => `${inside}.${pg.escapeIdentifier(name)}`).join(', ');
  const log = `${inside}.audit_log`;
  return `
    grant usage on schema ${inside}, drizzle to ${to};
    grant select on drizzle.__drizzle_migrations to ${to};
    grant select, insert, update, delete on ${all} to ${to};
    create or replace function ${inside}.keep_audit_rows() returns trigger language plpgsql
      set search_path = pg_catalog, pg_temp as $$
    begin
      if exists (select from jsonb_each(to_jsonb(new)) as n join jsonb_each(to_jsonb(old)) as o using (key)
          where n.value <> o.value and n.value <> 'null') then
        raise exception 'a row of the audit log only loses whom it is about' using errcode = '42501';
      end if;
      return new;
    end $$;
    create or replace trigger audit_rows_kept before update on ${log}
      for each row execute function ${inside}.keep_audit_rows();
    alter table ${log} enable row level security;
    drop policy if exists audit_read on ${log};
    drop policy if exists audit_write on ${log};
    drop policy if exists audit_forget on ${log};
    drop policy if exists audit_trim on ${log};
    create policy audit_read on ${log} for select using (true);
    create policy audit_write on ${log} for insert with check (true);
    create policy audit_forget on ${log} for update using (true);
    create policy audit_trim on ${log} for delete using (created_at < now() - interval '${keepAuditDays} days');`;
};

/**
 * Lets a role read and write the tables, and nothing else. Every migration calls for it again, for the tables it makes.
 * @throws {DatabaseProblem} where there is no such role, or it would not be restricted
 */
export async function grant(client: pg.Client, schema: string, { role, keepAuditDays }: Grant): Promise<void> {
  const { rows } = await client.query(
    `select rolsuper or rolbypassrls as all_powerful, exists (
        select from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = $2 and c.relname = 'audit_log' and pg_has_role(r.oid, c.relowner, 'usage')) as owns
      from pg_roles as r where rolname = $1`,
    [role, schema],
  );
  if (rows[0] === undefined) {
    throw new DatabaseProblem(
      `The role "${role}" does not exist. Create it with: create role ${pg.escapeIdentifier(role)} login password '…'`,
    );
  }
  if (rows[0].all_powerful === true || rows[0].owns === true) {
    throw new DatabaseProblem(
      `The role "${role}" owns the tables or is a superuser, so no grant restricts it. Use another role for the service`,
    );
  }
  await client.query(statements(role, schema, keepAuditDays));
}
