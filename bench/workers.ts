/**
 * Whether more processes serve more: `node bench/workers.ts [seconds]`, 6 for each measurement by default. The same load
 * (refresh, who am I, verify, and a sign-in every tenth time; 16 clients without pauses, from a process of its own) against
 * one worker and against two, in turns, with one Postgres and one Redis. The ratio holds for other machines at most where
 * as many cores are left beside Postgres and the load.
 */
import { availableParallelism } from 'node:os';
import { freePort } from '../dev/ports.ts';
import { startService, unlimited } from './support/service.ts';
import { startLoad } from './support/start-load.ts';
import { startStores } from './support/stores.ts';

const seconds = Number(process.argv[2] ?? 6);
const ends: (() => Promise<unknown>)[] = [];

try {
  const stores = await startStores();
  ends.push(stores.remove);
  const services = [];
  for (const workers of [1, 2]) {
    const variables = { ...unlimited, ...stores.variables, LOG_LEVEL: 'error', WORKERS: String(workers) };
    const service = await startService(await freePort(), variables);
    ends.push(service.stop);
    services.push({ workers, service, rates: [] as number[] });
  }
  for (let round = 0; round < 2; round += 1) {
    for (const { service, rates } of services) {
      const load = startLoad(service.base, seconds, 16, 0);
      await load.loading;
      const begun = Date.now();
      const sent = (await load.done).filter((each) => each.begun >= begun);
      if (sent.some(({ status }) => status !== 200)) throw new Error('a request failed');
      rates.push(sent.length / ((Date.now() - begun) / 1000));
    }
  }
  const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  for (const { workers, rates } of services) {
    console.log(`${workers} of them: ${rates.map((rate) => rate.toFixed(0)).join(' and ')} requests/s`);
  }
  const [one, two] = services.map(({ rates }) => mean(rates));
  console.log(`ratio, with ${availableParallelism()} cores for all of it: ${((two ?? 0) / (one ?? 1)).toFixed(2)}`);
} finally {
  for (const end of ends.toReversed()) await end();
}
