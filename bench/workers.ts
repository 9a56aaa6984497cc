/**
 * Whether more processes serve more: `node bench/workers.ts [seconds]`, 6 for each measurement by default. The same load
 * (refresh, who am I, verify, and a sign-in every tenth time; 16 clients without pauses, from a process of its own) against
 * one worker and against two, in turns, with one Postgres and one Redis. The ratio holds for other machines at most where
 * as many cores are left beside Postgres and the load.
 */
import { availableParallelism } from 'node:os';
import { freePort } from '../dev/ports.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { startOwnPostgres } from './support/own-postgres.ts';
import { startService, unlimited } from './support/service.ts';
import { startLoad } from './support/start-load.ts';

const seconds = Number(process.argv[2] ?? 6);
const ends: (() => Promise<unknown>)[] = [];

try {
  const postgres = await startOwnPostgres();
  ends.push(postgres.remove);
  const redis = await startRedisServer();
  if (redis === undefined) throw new Error('There is no redis-server on the PATH');
  ends.push(redis.stop);
  const services = [];
  for (const workers of [1, 2]) {
    const variables = { ...unlimited, DATABASE_URL: postgres.url, REDIS_URL: redis.url, LOG_LEVEL: 'error' };
    const service = await startService(await freePort(), { ...variables, WORKERS: String(workers) });
    ends.push(service.stop);
    services.push({ workers, service, rates: [] as number[] });
  }
  for (let round = 0; round < 2; round += 1) {
    for (const { service, rates } of services) {
      const load = startLoad(`http://127.0.0.1:${service.port}`, seconds, 16, 0);
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
