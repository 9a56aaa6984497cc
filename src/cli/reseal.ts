import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { auditRow, commandOrigin, recordAudit } from '../audit/audit.ts';
import { type ResealResult, reseal } from '../reseal/reseal.ts';
import { openDeps } from './deps.ts';

/** What `--help` says. */
export const resealUsage = `Usage: npm run cli -- reseal [--neon]
  Moves everything that a secret in AUTH_SECRET_PREVIOUS encrypted or indexed to AUTH_SECRET. The service may run
  meanwhile, with both secrets. You can stop the command and run it again at any time.
  Exit code 0: nothing is left, and you can remove AUTH_SECRET_PREVIOUS. Exit code 1: something is left.
  --neon  use Neon's HTTP endpoint, as a Worker does, instead of a TCP connection`;

/** How long to wait for tasks of the service: seconds. */
const patience = 120;

/**
 * `reseal`: moves what older secrets sealed to the newest one.
 * @param wait seconds to wait for tasks that the service has yet to do
 * @returns the lines to print, and whether nothing is left
 */
export async function resealCommand(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  wait: number = patience,
): Promise<{ lines: string[]; isDone: boolean }> {
  const { values } = parseArgs({ args: [...argv], options: { neon: { type: 'boolean', default: false } } });
  const { deps, close } = await openDeps(environment, values.neon);
  try {
    const result = await reseal(deps, () => sleep(1000), wait);
    const said = inWords(result);
    const origin = commandOrigin('reseal', ...countsOf(result));
    const entry = { type: 'secrets_resealed', userId: null, sessionId: null, origin } as const;
    await recordAudit(deps.db, auditRow(deps, { ...entry, result: said.isDone ? 'success' : 'failure' }));
    return said;
  } finally {
    await close();
  }
}

const countsOf = ({ tables }: ResealResult) =>
  Object.entries(tables).map(([name, { moved, left }]) => `${name} ${moved} moved, ${left} left`);

function inWords({ tables, taken, waitingTasks, strays }: ResealResult): { lines: string[]; isDone: boolean } {
  const all = Object.entries(tables);
  const isDone = all.every(([, { left }]) => left === 0);
  const lines = all.map(([name, { moved, left }]) => `${`${name}:`.padEnd(17)} ${moved} moved, ${left} left`);
  const unreadable = all.reduce((sum, [, each]) => sum + each.unreadable, 0);
  if (strays > 0) lines.push(`${strays} links keep an index of the older secret. They expire within 7 days`);
  if (waitingTasks > 0) {
    lines.push(
      `${waitingTasks} tasks wait for the service, and users stay under the older secret until it has done them. ` +
        'Make sure that the service runs, then run this command again',
    );
  }
  if (taken.length > 0) {
    lines.push(
      `The address of these users belongs to a second account too. Delete one of the two, then run this command again: ${taken.join(', ')}`,
    );
  }
  if (unreadable > 0) {
    lines.push(
      `${unreadable} rows open with none of the configured secrets. Add the one they need to AUTH_SECRET_PREVIOUS`,
    );
  }
  lines.push(
    isDone
      ? 'Nothing is left under an older secret. You can remove AUTH_SECRET_PREVIOUS'
      : 'Something is left under an older secret. Keep AUTH_SECRET_PREVIOUS, and run this command again',
  );
  return { lines, isDone };
}
