import { parseArgs } from 'node:util';
import { createRetention } from '../scheduled/retention.ts';
import { openDeps } from './deps.ts';

/** What `--help` says. */
export const cleanupUsage = `Usage: npm run cli -- cleanup [--neon]
  Deletes old data, as the scheduled work does once a minute, and prints the number of deleted rows. SESSION_RETENTION
  and AUDIT_RETENTION say how long the service keeps data.
  --neon  speaks HTTP with Neon, as a Worker does, instead of TCP with Postgres`;

/**
 * `cleanup`: the steps of retention, each until nothing is left to delete. Safe beside a service that runs.
 * @returns the lines to print
 */
export async function cleanupCommand(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const { neon } = parseArgs({ args: [...argv], options: { neon: { type: 'boolean', default: false } } }).values;
  const { deps, close } = await openDeps(environment, neon);
  try {
    const retention = createRetention(deps);
    return [
      `${await untilNothing(retention.deleteSessions)} sessions`,
      `${await untilNothing(retention.deleteOneTimeTokens)} links and codes`,
      `${await untilNothing(retention.trimAuditLog)} rows of the audit log`,
      `${await untilNothing(retention.deleteDeadMail)} mails and events that failed for good`,
    ].map((line) => `Deleted: ${line}`);
  } finally {
    await close();
  }
}

/** One call stops after some seconds. @returns how many rows all of them deleted */
async function untilNothing(deleteSome: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let deleted = -1; deleted !== 0; total += deleted) deleted = await deleteSome();
  return total;
}
