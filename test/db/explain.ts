import type pg from 'pg';
import * as z from 'zod';

/** Not `signing_keys`: it never holds more than a handful of rows, and reading them all is the point. */
const large = ['users', 'sessions', 'audit_log', 'one_time_tokens', 'code_attempts', 'outbox'];

export interface Statement {
  readonly sql: string;
  readonly params: readonly unknown[];
}

const plan = z.looseObject({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  'Index Cond': z.string().optional(),
  'Actual Rows': z.number().default(0),
  'Rows Removed by Filter': z.number().default(0),
  'Shared Hit Blocks': z.number().default(0),
  'Shared Read Blocks': z.number().default(0),
  get Plans() {
    return z.array(plan).optional();
  },
});
type Plan = z.output<typeof plan>;
const explained = z.tuple([z.object({ 'QUERY PLAN': z.tuple([z.object({ Plan: plan })]) })]);

const nodes = (root: Plan): Plan[] => [root, ...(root.Plans ?? []).flatMap(nodes)];

/** Which tables a statement would read from one end to the other. Nothing is executed. */
export async function fullReads(client: pg.Client, { sql, params }: Statement): Promise<string[]> {
  const { rows } = await client.query(`explain (format json) ${sql}`, [...params]);
  const all = nodes(explained.parse(rows)[0]['QUERY PLAN'][0].Plan);
  const scans = all.filter((node) => /Scan$/.test(node['Node Type']) && large.includes(node['Relation Name'] ?? ''));
  // A bitmap is built by the scan below it, which names the index and not the table.
  const unbounded = scans.filter(
    (node) => node['Node Type'] !== 'Bitmap Heap Scan' && node['Index Cond'] === undefined,
  );
  return unbounded.map((node) => `${node['Node Type']} on ${node['Relation Name']}`);
}

/** What a query did: it is executed. */
export interface Cost {
  /** Pages of 8 KiB, of tables and indexes, each time it looked at one. */
  readonly buffers: number;
  /** Rows that the scans went through. */
  readonly rows: number;
  /** The most rows that it sorted at once. */
  readonly sorted: number;
}

export async function costOf(client: pg.Client, { sql, params }: Statement): Promise<Cost> {
  const { rows } = await client.query(`explain (analyze, buffers, format json, timing off) ${sql}`, [...params]);
  const root = explained.parse(rows)[0]['QUERY PLAN'][0].Plan;
  const all = nodes(root);
  const scanned = all.filter((node) => /Scan$/.test(node['Node Type']));
  const sorts = all.filter((node) => /Sort$/.test(node['Node Type']));
  return {
    buffers: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
    rows: scanned.reduce((sum, node) => sum + node['Actual Rows'] + node['Rows Removed by Filter'], 0),
    // What is sorted comes from below: of the sorted rows a limit may take a few only.
    sorted: Math.max(0, ...sorts.flatMap(({ Plans = [] }) => Plans.map((below) => below['Actual Rows']))),
  };
}
