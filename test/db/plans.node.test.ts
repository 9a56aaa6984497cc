// Node only: what Postgres makes of a statement does not depend on the driver that sends it.
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createPasswordHasher } from '../../src/crypto/password-hash.ts';
import { createArgon2Native } from '../../src/platform/argon2-native.ts';
import { createDatabase, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { withClient } from './catalog.ts';

/** Not `signing_keys`: it never holds more than a handful of rows, and reading them all is the point. */
const large = ['users', 'sessions', 'audit_log', 'one_time_tokens', 'outbox'];

interface Statement {
  readonly sql: string;
  readonly params: readonly unknown[];
}

/** What a statement does, in short: each verb with its table, in the order they stand. */
function outline({ sql }: Statement): string {
  const parts = [...sql.matchAll(/\b(insert into|update|delete from|from|join) "(\w+)"/g)];
  return parts.map(([, verb, table]) => `${verb} ${table}`).join(', ') || sql;
}

const plan = z.looseObject({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  'Index Cond': z.string().optional(),
  get Plans() {
    return z.array(plan).optional();
  },
});
type Plan = z.output<typeof plan>;
const explained = z.tuple([z.object({ 'QUERY PLAN': z.tuple([z.object({ Plan: plan })]) })]);

const nodes = (root: Plan): Plan[] => [root, ...(root.Plans ?? []).flatMap(nodes)];

/** Which tables a statement would read from one end to the other. Nothing is executed. */
async function fullReads(client: pg.Client, { sql, params }: Statement): Promise<string[]> {
  const { rows } = await client.query(`explain (format json) ${sql}`, [...params]);
  const all = nodes(explained.parse(rows)[0]['QUERY PLAN'][0].Plan);
  const scans = all.filter((node) => /Scan$/.test(node['Node Type']) && large.includes(node['Relation Name'] ?? ''));
  // A bitmap is built by the scan below it, which names the index and not the table.
  const unbounded = scans.filter((node) => node['Node Type'] !== 'Bitmap Heap Scan' && node['Index Cond'] === undefined);
  return unbounded.map((node) => `${node['Node Type']} on ${node['Relation Name']}`);
}

const people = 100_000;
const fill = `
  insert into users (id, username, username_key, email_index, email_sealed, phone_index, password_hash, created_at, updated_at)
    select gen_random_uuid(), 'user' || n, 'user' || n, md5(n::text), repeat('e', 60), md5('p' || n), repeat('h', 120), now(), now()
    from generate_series(1, ${people}) n;
  insert into sessions (id, user_id, client_id, scope, epoch, rotated_at, authenticated_at, created_at, expires_at, ended_at, ended_reason)
    select gen_random_uuid(), id, 'first-party', 'account', 0, now(), now(), now(), now() + interval '30 days',
      case when row_number() over () % 2 = 0 then now() - random() * interval '30 days' end,
      case when row_number() over () % 2 = 0 then 'logout' end
    from users;
  insert into audit_log (id, type, result, user_id, session_id, created_at)
    select gen_random_uuid(), 'login', 'success', user_id, id, created_at from sessions;
  insert into one_time_tokens (id, purpose, user_id, token_hash, created_at, expires_at)
    select gen_random_uuid(), 'verify_email', id, email_index, now(), now() + interval '1 day' from users limit 20000;
  insert into outbox (id, kind, type, subject, payload_sealed, created_at, next_attempt_at, delivered_at)
    select gen_random_uuid(), 'event', 'user.registered', id, 'x', now(), now(), now() from users limit 20000;`;

describe(`with ${people} users`, () => {
  let databaseUrl: string;
  beforeAll(async () => {
    databaseUrl = await createDatabase();
    const start = performance.now();
    await withClient(databaseUrl, async (client) => {
      await client.query(fill);
      console.log('filled', performance.now() - start);
      await client.query('vacuum analyze');
    });
    console.log('analyzed', performance.now() - start);
  });

  it('x', async () => {
    const app = await testApp({ databaseUrl });
    await registerUser(app);
    await withClient(databaseUrl, async (client) => {
      for (const s of app.statements) console.log(outline(s), await fullReads(client, s));
    });
  });
});
