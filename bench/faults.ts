/**
 * `npm run check:faults -- [name ...]`: what the service promises while something beside it fails, each with a service of
 * its own, on Node and, where it applies, on the Worker in plain workerd: a partition between replicas, clocks that jump, a
 * log that nobody reads, a sink that is away, a database that takes reads alone, a full disk, requests that cannot be read,
 * a Redis with one slow answer.
 * A name may be followed by a runtime: `partition:Worker`.
 */
import { clock } from './faults/clock.ts';
import { fullDisk } from './faults/full-disk.ts';
import { logOutput } from './faults/log-output.ts';
import { oddRequests } from './faults/odd-requests.ts';
import { partition } from './faults/partition.ts';
import { readOnly } from './faults/read-only.ts';
import { sinkAway } from './faults/sink-away.ts';
import { slowAnswer } from './faults/slow-answer.ts';
import type { Kind } from './support/subject.ts';

/** Each gives what is wrong. A log that is closed, and a clock that is set, are Node's: on Workers the platform has both. */
const faults: Readonly<Record<string, { readonly kinds: readonly Kind[]; check(kind: Kind): Promise<string[]> }>> = {
  partition: { kinds: ['Node', 'Worker'], check: partition },
  clock: { kinds: ['Node'], check: clock },
  'log-output': { kinds: ['Node'], check: logOutput },
  'sink-away': { kinds: ['Node', 'Worker'], check: sinkAway },
  'read-only': { kinds: ['Node', 'Worker'], check: readOnly },
  'odd-requests': { kinds: ['Node', 'Worker'], check: oddRequests },
  'full-disk': { kinds: ['Node', 'Worker'], check: fullDisk },
  'slow-answer': { kinds: ['Node'], check: slowAnswer },
};

const chosen = process.argv.slice(2);
const cases = Object.entries(faults)
  .flatMap(([name, { kinds, check }]) => kinds.map((kind) => ({ name, kind, check })))
  .filter(({ name, kind }) => chosen.length === 0 || chosen.includes(name) || chosen.includes(`${name}:${kind}`));
if (cases.length === 0) throw new Error(`There is no such fault. There are ${Object.keys(faults).join(', ')}`);

async function run({ name, kind, check }: (typeof cases)[number]): Promise<string[]> {
  const wrong = await check(kind).catch((error: unknown) => [String(error)]);
  return wrong.map((line) => `${name}, ${kind}: ${line}`);
}

// The partition waits for minutes to pass; the others measure, so they take turns.
const isPatient = ({ name }: { readonly name: string }) => name === 'partition';
const waiting = Promise.all(cases.filter(isPatient).map(run));
const found: string[] = [];
for (const each of cases) if (!isPatient(each)) found.push(...(await run(each)));
found.push(...(await waiting).flat());
for (const line of found) console.error(`error: ${line}`);
// What a case left running, because it did not get to its end, ends with this process.
process.exit(found.length === 0 ? 0 : 1);
