import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { getTableName, isTable } from 'drizzle-orm';
import pg from 'pg';
import * as z from 'zod';
import * as schema from '../../src/db/schema.ts';
import { migrate } from '../../src/platform/postgres-migrations.ts';
import { prepareSigningKey } from './signing-key.ts';

const tables = Object.values(schema)
  .filter((value) => isTable(value))
  .map(getTableName);
/**
 * A few rows are deleted in a fortieth of the time that it takes to make the files of all tables and indexes anew. One
 * statement: foreign keys are checked at its end, and it is planned once for a connection.
 */
const deletion = {
  name: 'deletion',
  text: `with ${tables.map((table) => `of_${table} as (delete from ${table})`).join(', ')} select`,
};
const truncation = `truncate ${tables.join(', ')}`;
const versionsOf = (catalog: string, oid = 'oid') =>
  `(select concat(count(*), ' ', sum(xmin::text::bigint)) from ${catalog} where ${oid} >= 16384)`;
/**
 * Whether the schema may have changed, at a third of the cost of its fingerprint: each change writes a new version of a
 * row of these catalogs, and what is not Postgres's own begins at 16384. `truncate` does so in `pg_class`: there the
 * names count.
 */
const look = {
  name: 'look',
  text: `select concat_ws(', ',
    ${versionsOf('pg_attribute', 'attrelid')}, ${['pg_trigger', 'pg_constraint', 'pg_proc'].map((catalog) => versionsOf(catalog)).join(', ')},
    (select concat(count(*), ' ', sum(hashtext(relname))) from pg_class where oid >= 16384)) as versions,
    ${tables.map((table) => `pg_relation_size('${table}')`).join(' + ')} > 1000000 as large`,
};
const looked = z.object({ rows: z.tuple([z.object({ versions: z.string(), large: z.boolean() })]) });
const lookAt = async (client: pg.Client) => looked.parse(await client.query(look)).rows[0];

export interface DatabaseServer {
  readonly url: string;
  stop(): Promise<void>;
}

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Tells one schema from another: relations, columns, constraints, triggers and functions. */
async function fingerprint(client: pg.Client): Promise<string> {
  const { rows } = await client.query(`
    select md5(string_agg(part, ',' order by part)) as print from (
      select concat_ws(' ', c.relname, a.attname, a.atttypid, a.attnotnull) as part from pg_attribute a
        join pg_class c on c.oid = a.attrelid where c.relnamespace = 'public'::regnamespace
      union all select concat_ws(' ', conname, pg_get_constraintdef(oid)) from pg_constraint
        where connamespace = 'public'::regnamespace
      union all select concat_ws(' ', tgname, tgenabled) from pg_trigger where not tgisinternal
      union all select proname::text from pg_proc where pronamespace = 'public'::regnamespace
    ) as parts`);
  return String(rows[0]?.print);
}

/**
 * Gives each test databases of its own, also those in workerd, which cannot make one. `POST /` answers with the address
 * of a migrated database that holds a signing key and nothing else, `POST /?keyless` with one without any row,
 * `POST /?empty` with one that has no tables; `DELETE /?name` takes one back: it is emptied and handed out again, which
 * costs a tenth of making one. `POST /?&worker` names who asks: it gets one that it had before, to which it has connections.
 * @param adminUrl of a role that may create databases
 * @param outlives whether the server goes on when the tests have ended: then nothing of theirs is left there. Where it
 * ends with them, dropping a hundred databases one by one would cost a third of the whole run
 */
export async function startDatabaseServer(adminUrl: string, outlives: boolean): Promise<DatabaseServer> {
  const run = randomBytes(4).toString('hex');
  const named = (name: string) => Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  const admin = new pg.Pool({ connectionString: adminUrl, max: 1 });
  // Postgres ends its connections when it stops, which is no failure of a test.
  admin.on('error', () => undefined);
  const template = `edge_auth_test_${run}_template`;
  const made = [template];
  const free: { readonly name: string; readonly worker: string; readonly since: number }[] = [];
  const holders = new Map<string, string>();
  await admin.query(`create database ${template}`);
  await migrate(named(template));
  const untouched = await withClient(named(template), fingerprint);
  // What the migrations themselves write is there again for the next test, whatever this one did to it.
  const roles = await withClient(named(template), async (client) => {
    const { rows } = await client.query('select json_agg(roles)::text as roles from roles');
    return `insert into roles select * from json_populate_recordset(null::roles, ${pg.escapeLiteral(rows[0].roles)})`;
  });
  // A new RSA key costs more than most tests: they share one, which all secrets but the tests' own leave sealed.
  const refill = [roles, await prepareSigningKey(named(template))].join('; ');
  const { versions: ofTemplate } = await withClient(named(template), lookAt);
  /** What was seen last of a schema that is as the migrations left it, for databases where a test changed it and back. */
  const versionsSeen = new Map<string, string>();

  async function make(kind: string): Promise<string> {
    const name = `edge_auth_test_${run}_${made.length}`;
    made.push(name);
    await admin.query(`create database ${name}${kind === 'empty' ? '' : ` template ${template}`}`);
    return name;
  }

  async function give(worker: string): Promise<string> {
    const own = free.findLastIndex((database) => database.worker === worker);
    // What another worker gave back just now it is about to ask for again; from one that has ended it may be taken.
    const left = free.findIndex(({ since }) => performance.now() - since > 10_000);
    const known = own === -1 ? free[left] : free[own];
    if (known !== undefined) free.splice(free.indexOf(known), 1);
    const name = known?.name ?? (await make(''));
    holders.set(name, worker);
    return name;
  }

  async function giveKeyless(worker: string): Promise<string> {
    const name = await give(worker);
    await withKeeper(name, (client) => client.query('delete from signing_keys'));
    return name;
  }

  /** One connection to each database, for good: making one costs more than what is done over it. */
  const keepers = new Map<string, pg.Client>();
  async function keeperOf(name: string): Promise<pg.Client> {
    const known = keepers.get(name);
    if (known !== undefined) return known;
    const client = new pg.Client({ connectionString: named(name), lock_timeout: 1000 });
    const forget = () => void keepers.delete(name);
    // Tests end connections, too.
    client.on('error', forget).on('end', forget);
    await client.connect();
    keepers.set(name, client);
    return client;
  }

  /** A test may have ended the connection just now: then another one is made. */
  async function withKeeper<T>(name: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    try {
      return await work(await keeperOf(name));
    } catch (error) {
      await keepers
        .get(name)
        ?.end()
        .catch(() => undefined);
      keepers.delete(name);
      if (error instanceof pg.DatabaseError && error.severity === 'ERROR') throw error;
      return await work(await keeperOf(name));
    }
  }

  async function take(name: string): Promise<void> {
    const isEmptied = await withKeeper(name, async (client) => {
      const { versions, large } = await lookAt(client);
      if (versions !== (versionsSeen.get(name) ?? ofTemplate)) {
        // What a test changed in the schema nobody else shall meet.
        if ((await fingerprint(client)) !== untouched) return false;
        versionsSeen.set(name, versions);
      }
      await client.query(large ? truncation : deletion);
      await client.query(refill);
      return true;
    }).catch(() => false);
    // Another one is dropped in the end, like all of them.
    if (isEmptied) free.push({ name, worker: holders.get(name) ?? '', since: performance.now() });
  }

  // A connection that is kept shall not be closed just when it is used again.
  const server = createServer({ keepAliveTimeout: 300_000 }, async (request, response) => {
    const [, query = ''] = (request.url ?? '').split('?');
    try {
      if (request.method === 'DELETE') {
        await take(query);
        response.end();
      } else {
        const [kind = '', worker = ''] = query.split('&');
        const kinds: Record<string, (worker: string) => Promise<string>> = {
          empty: () => make('empty'),
          keyless: giveKeyless,
        };
        response.end(named(await (kinds[kind] ?? give)(worker)));
      }
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  // Workers keep their connections: one that is closed while a request is on its way fails a test.
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      for (const client of keepers.values()) await client.end().catch(() => undefined);
      for (const name of outlives ? made : []) await admin.query(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}
