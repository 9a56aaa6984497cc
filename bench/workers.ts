/**
 * Whether more processes serve more: `node bench/workers.ts [seconds]`, 6 for each measurement by default. The same load
 * (refresh, who am I, verify, and a sign-in every tenth time; 64 clients without pauses, from a process of its own) against
 * one worker, two and four, in turns, with one Postgres and one Redis. First as the machine is, where the load and the
 * databases use its cores too; then with each worker held to a tenth of a core, as if there were many small cores: what
 * keeps four from serving four times as much then is what they share.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { freePort } from '../dev/ports.ts';
import { type Service, startService, unlimited } from './support/service.ts';
import { startLoad, tally } from './support/start-load.ts';
import { startStores } from './support/stores.ts';

const seconds = Number(process.argv[2] ?? 6);
const clients = 64;
/** Each worker runs so many milliseconds of each period. */
const [turn, period] = [4, 40];
const ends: (() => Promise<unknown>)[] = [];

/** The processes that serve: those that the service started, or the one that it is. */
function servingOf({ pid }: Service): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [pid ?? 0] : children.split(' ').map(Number);
}

/** Lets each process run for its turn alone, one after the other. @returns how to stop it */
function holdBack(pids: readonly number[]): () => void {
  const timers = pids.map((pid, index) => {
    process.kill(pid, 'SIGSTOP');
    return setTimeout(
      () => {
        const run = () => {
          process.kill(pid, 'SIGCONT');
          setTimeout(() => process.kill(pid, 'SIGSTOP'), turn);
        };
        run();
        repeated.push(setInterval(run, period));
      },
      (period / pids.length) * index,
    );
  });
  const repeated: NodeJS.Timeout[] = [];
  return () => {
    timers.forEach(clearTimeout);
    repeated.forEach(clearInterval);
    setTimeout(() => {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }, 2 * turn);
  };
}

/** @returns requests a second */
async function rateOf(service: Service, isHeld: boolean): Promise<number> {
  const load = startLoad(service.base, seconds, clients, 0);
  await load.loading;
  const release = isHeld ? holdBack(servingOf(service)) : () => undefined;
  const begun = Date.now();
  const sent = (await load.done.finally(release)).filter((each) => each.begun >= begun);
  if (sent.some(({ status }) => status !== 200)) throw new Error(`a request failed: ${JSON.stringify(tally(sent))}`);
  return sent.length / ((Date.now() - begun) / 1000);
}

try {
  const stores = await startStores();
  ends.push(stores.remove);
  const services: { workers: number; service: Service }[] = [];
  for (const workers of [1, 2, 4]) {
    const variables = { ...unlimited, ...stores.variables, LOG_LEVEL: 'error', DATABASE_POOL_SIZE: '24' };
    const service = await startService(await freePort(), { ...variables, WORKERS: String(workers) });
    ends.push(service.stop);
    services.push({ workers, service });
  }
  for (const isHeld of [false, true]) {
    console.log(
      isHeld ? `each held to ${(100 * turn) / period}% of a core:` : `${availableParallelism()} cores for all:`,
    );
    const rates = services.map(() => 0);
    for (let round = 0; round < 2; round += 1) {
      for (const [index, { service }] of services.entries())
        rates[index] = (rates[index] ?? 0) + (await rateOf(service, isHeld)) / 2;
    }
    for (const [index, { workers }] of services.entries()) {
      const rate = rates[index] ?? 0;
      console.log(`  ${workers}: ${rate.toFixed(0)} requests/s, ${(rate / (rates[0] ?? 1)).toFixed(2)} of one`);
    }
  }
} finally {
  for (const end of ends.toReversed()) await end();
}
