/**
 * `npm run check:faults -- [name ...]`: what the service promises while something beside it fails, each with a service of
 * its own on Node: a partition between replicas, clocks that jump, a log that nobody reads, a sink and a database that are
 * away or read only, a Redis of which one answer is slow.
 */
import { clock } from './faults/clock.ts';
import { logOutput } from './faults/log-output.ts';
import { outages } from './faults/outages.ts';
import { partition } from './faults/partition.ts';
import { slowAnswer } from './faults/slow-answer.ts';

const faults: Readonly<Record<string, () => Promise<string[]>>> = {
  partition,
  clock,
  'log-output': logOutput,
  outages,
  'slow-answer': slowAnswer,
};

const chosen = process.argv.slice(2);
const names = Object.keys(faults).filter((name) => chosen.length === 0 || chosen.includes(name));
/** @returns what is wrong, and where */
async function run(name: string): Promise<string[]> {
  if (!names.includes(name)) return [];
  const wrong = await (faults[name]?.() ?? Promise.resolve([])).catch((error: unknown) => [String(error)]);
  return wrong.map((line) => `${name}: ${line}`);
}

// The partition waits for minutes to pass; the others measure, so they take turns.
const waiting = run('partition');
const measured: string[] = [];
for (const name of Object.keys(faults)) if (name !== 'partition') measured.push(...(await run(name)));
const found = [...measured, ...(await waiting)];
for (const line of found) console.error(`error: ${line}`);
// What a case left running, because it did not get to its end, ends with this process.
process.exit(found.length === 0 ? 0 : 1);
