import { parseArgs } from 'node:util';
import * as z from 'zod';
import { readEvents } from '../admin/event-store.ts';
import { eventFilters, replay, toOutboxEvent } from '../admin/events.ts';
import { openDeps } from './deps.ts';

/** What `--help` says. */
export const eventsUsage = `Usage: npm run cli -- events list | replay  [--sink <name>] [--type <type>] [--user <id>] [--id <id>] [--neon]
  list    print the newest 100 events that could not be delivered, one JSON object per line
  replay  deliver them again: all of them, or those that the options select
  --neon  use Neon's HTTP endpoint, as a Worker does, instead of a TCP connection`;

const options = {
  sink: { type: 'string' },
  type: { type: 'string' },
  user: { type: 'string' },
  id: { type: 'string' },
  neon: { type: 'boolean', default: false },
} as const;
const filters = eventFilters.extend({ id: z.uuid().optional() });

/**
 * `events list` and `events replay`: what the service gave up, for an operator.
 * @returns the lines to print
 * @throws {Error} with a line to print that names what is wrong
 */
export async function eventsCommand(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const { verb, neon, filter } = read(argv);
  const { deps, close } = await openDeps(environment, neon);
  try {
    if (verb === 'list') {
      const rows = await readEvents(deps.db, { limit: 100, before: undefined }, { ...filter, dead: true });
      const events = await Promise.all(rows.map((row) => toOutboxEvent(deps, row)));
      return events.map((event) => JSON.stringify(event));
    }
    let total = 0;
    for (let count = -1; count !== 0; total += count) count = await replay(deps, filter);
    return [`The service delivers ${total} events again within a minute`];
  } finally {
    await close();
  }
}

function read(argv: readonly string[]) {
  const { positionals, values } = parseArgs({ args: [...argv], options, allowPositionals: true });
  const { neon, ...given } = values;
  const parsed = filters.safeParse(given);
  const [verb] = positionals;
  if ((verb !== 'list' && verb !== 'replay') || positionals.length !== 1) throw new Error(eventsUsage);
  if (parsed.error !== undefined) {
    throw new Error(parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n'));
  }
  return { verb, neon, filter: parsed.data };
}
