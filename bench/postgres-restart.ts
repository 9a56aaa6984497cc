/**
 * `npm run check:restart`: Postgres is stopped for 3 s and started again while requests come. Meanwhile there may be
 * nothing but 503s with `Retry-After`; 2 s after it takes connections again all is well, and the process is the same.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../dev/ports.ts';
import { startOwnPostgres } from './support/own-postgres.ts';
import { startService, unlimited } from './support/service.ts';
import { startLoad, tally } from './support/start-load.ts';

const recovery = 2000;

const postgres = await startOwnPostgres();
const service = await startService(await freePort(), {
  ...unlimited,
  DATABASE_URL: postgres.url,
  LOG_LEVEL: 'error',
}).catch(async (error) => {
  await postgres.remove();
  throw error;
});
try {
  const load = startLoad(service.base, 14, 6, 20);
  await load.loading;
  await sleep(3000);
  const stopped = Date.now();
  await postgres.down();
  await sleep(3000);
  await postgres.up();
  const started = Date.now();
  const sent = await load.done;
  const well = started + recovery;
  const before = sent.filter(({ ended }) => ended < stopped);
  const meanwhile = sent.filter(({ begun, ended }) => ended >= stopped && begun <= well);
  const after = sent.filter(({ begun }) => begun > well);
  const refused = meanwhile.filter(({ status }) => status === 503);
  const last = Math.max(...sent.filter(({ status }) => status !== 200).map(({ ended }) => ended));
  console.log(`before: ${JSON.stringify(tally(before))}`);
  console.log(
    `while Postgres was away (${((started - stopped) / 1000).toFixed(1)} s) and 2 s more: ${JSON.stringify(tally(meanwhile))}`,
  );
  console.log(`after: ${JSON.stringify(tally(after))}`);
  console.log(`the last failure ended ${last - started} ms after Postgres took connections again`);
  const wrong: string[] = [];
  // 201 are the registrations with which the load begins.
  if (before.some(({ status }) => ![200, 201].includes(status))) wrong.push('something failed before');
  if (refused.length === 0) wrong.push('nothing was refused: Postgres was not away');
  if (meanwhile.some(({ status }) => ![200, 503].includes(status))) wrong.push('something else than 503 was answered');
  if (refused.some(({ retryAfter }) => !/^\d+$/.test(retryAfter ?? ''))) wrong.push('a 503 had no Retry-After');
  if (after.length === 0 || after.some(({ status }) => status !== 200)) wrong.push('it had not recovered after 2 s');
  if ((await service.stop()) !== 0) wrong.push('the process did not end well');
  for (const line of wrong) console.error(`error: ${line}`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  await service.stop();
  await postgres.remove();
}
