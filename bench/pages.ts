/**
 * What a page of the admin API's lists costs: `npm run check:pages`, or `node bench/pages.ts <users>`, 200,000 by default.
 * Fills an embedded Postgres, asks for the first page of each list and for page 1,000 (or the last one that is full) through
 * the API, and explains the very statements that it sent. Fails where one reads a table or an index from end to end, sorts
 * more than a thousand rows, finds other rows than an OFFSET does, or looks at many more pages of 8 KiB deep in the list than
 * at its beginning: more than twice as many, and more than 64; or at more than 256 there. Of the whole list of users all 1,000 pages are read one after the other.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import * as z from 'zod';
import { startEmbeddedPostgres } from '../dev/embedded-postgres.ts';
import { migrate } from '../src/platform/postgres-migrations.ts';
import { type Cost, costOf, fullReads } from '../test/db/explain.ts';
import { type AdminApi, startAdminApi } from './pages/admin-api.ts';
import { fill } from './pages/fill.ts';
import { type List, lists } from './pages/lists.ts';

const people = Number(process.argv[2] ?? 200_000);
const size = 20;
const pages = 1000;
const maxSorted = 1000;
const maxWalked = 1000;
const maxBuffers = 256;

let failures = 0;
function expect(what: string, holds: boolean, seen: unknown): void {
  if (holds) return;
  failures += 1;
  console.error(`error: ${what}: ${JSON.stringify(seen)}`);
}

const rowsOf = async (client: pg.Client, statement: string): Promise<string[]> =>
  z
    .array(z.tuple([z.string()]))
    .parse((await client.query({ text: statement, rowMode: 'array' })).rows)
    .flat();

/** The ids of a page, and the cursor that leads there, by counting from the beginning. */
async function byOffset(client: pg.Client, { from, order, cursor }: List, page: number) {
  const key = cursor ?? order.replace(/ desc$| collate.*/, '');
  const start = (page - 1) * size;
  const ids = await rowsOf(client, `select id::text from ${from} order by ${order} limit ${size} offset ${start}`);
  const before = `select (${key})::text from ${from} order by ${order} limit 1 offset ${Math.max(0, start - 1)}`;
  return { ids, cursor: page === 1 ? undefined : (await rowsOf(client, before))[0] };
}

/** Reads a page through the API, and explains the statement that found it. */
async function readPage(api: AdminApi, client: pg.Client, list: List, page: number): Promise<Cost> {
  const { ids, cursor } = await byOffset(client, list, page);
  const found = await api.read(list.path, size, cursor);
  const name = `${list.path}, page ${page}`;
  expect(`${name} has the rows that belong there`, ids.join() === found.ids.join(), { ids, found: found.ids });
  const reads = await fullReads(client, found.statement);
  const cost = await costOf(client, found.statement);
  // Of a user who has a good part of all rows the planner may walk the newest, and stops at the end of the page.
  const isBounded = reads.length === 0 || (cost.rows <= maxWalked && !reads.some((read) => /Seq/.test(read)));
  expect(`${name} reads all of something`, isBounded, { reads, cost });
  expect(`${name} sorts too much`, cost.sorted <= maxSorted, cost);
  return cost;
}

/** What the planner finds by chance on one page is not what it finds on the other: within a small factor. */
const isAsCheap = (first: number, deep: number) => deep <= Math.max(first * 2, first + 64);

async function checkList(api: AdminApi, client: pg.Client, list: List): Promise<void> {
  const [count = '0'] = await rowsOf(
    client,
    `select count(*)::text from (select from ${list.from} limit ${size * pages}) as l`,
  );
  const last = Math.min(pages, Math.floor(Number(count) / size));
  if (last < 2) throw new Error(`${list.path} has one page`);
  const [first, deep] = [await readPage(api, client, list, 1), await readPage(api, client, list, last)];
  const figures = [
    String(last),
    first.buffers,
    deep.buffers,
    first.rows,
    deep.rows,
    Math.max(first.sorted, deep.sorted),
  ];
  console.log(`${list.path.padEnd(64).slice(0, 64)} ${figures.map((figure) => String(figure).padStart(7)).join(' ')}`);
  expect(`${list.path} is cheap at its beginning`, first.buffers <= maxBuffers, first);
  expect(`${list.path} costs the same deep in the list`, isAsCheap(first.buffers, deep.buffers), { first, deep });
}

/** Follows the cursor from the first page on. */
async function walk(api: AdminApi, client: pg.Client, list: List): Promise<void> {
  const start = performance.now();
  let page = await api.read(list.path, size, undefined);
  for (let number = 2; number <= pages; number += 1) {
    if (page.next === undefined) throw new Error(`The list ends before page ${number}`);
    page = await api.read(list.path, size, page.next);
  }
  const { ids } = await byOffset(client, list, pages);
  expect(`${list.path} leads to its page ${pages}`, ids.join() === page.ids.join(), page.ids);
  console.log(`${pages} pages of ${list.path} one after the other: ${Math.round(performance.now() - start)} ms`);
}

const data = mkdtempSync(join(tmpdir(), 'edge-auth-pages-'));
// Postgres may run as an account of its own, which has to get through.
chmodSync(data, 0o755);
const postgres = await startEmbeddedPostgres({ directory: join(data, 'postgres'), durable: false });
const client = new pg.Client({ connectionString: postgres.url });
try {
  const start = performance.now();
  await migrate(postgres.url);
  await client.connect();
  await client.query(fill(people));
  const api = await startAdminApi(postgres.url, client);
  await client.query('vacuum analyze');
  console.log(`${people} users, ${people * 2} rows of the audit log: ${Math.round(performance.now() - start)} ms`);
  const all = lists(new Date(Date.now() - people * 500).toISOString());
  console.log(`${'list'.padEnd(64)}   page N  pages of 8 KiB    rows scanned  sorted`);
  console.log(`${''.padEnd(64)}            first     N   first       N`);
  for (const list of all) await checkList(api, client, list);
  for (const list of all.slice(0, 1)) await walk(api, client, list);
  await api.close();
} finally {
  await client.end();
  await postgres.stop();
  rmSync(data, { recursive: true, force: true });
}
if (failures > 0) process.exitCode = 1;
