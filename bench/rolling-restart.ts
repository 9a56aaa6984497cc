/**
 * `npm run check:rolling`: two replicas behind nginx (with the configuration of `deploy/`) under constant load on kept
 * connections. One after the other gets SIGTERM, ends, and is started anew. No request may fail. Then that the
 * proxy speaks HTTP/2, redirects plain HTTP, and limits one address.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../dev/ports.ts';
import { startNginx } from './support/nginx.ts';
import { checkProxy } from './support/proxy-manners.ts';
import { type Service, startService, unlimited } from './support/service.ts';
import { startLoad, tally } from './support/start-load.ts';
import { startStores } from './support/stores.ts';

const restarts = 4;
const ends: (() => Promise<unknown>)[] = [];
try {
  const stores = await startStores();
  ends.push(stores.remove);
  const variables = {
    ...unlimited,
    ...stores.variables,
    TRUSTED_PROXIES: '127.0.0.0/8',
    LOG_LEVEL: 'error',
    // The second replica is as it is on a machine with two cores.
    SHUTDOWN_DELAY: '0',
  };
  const ports = [await freePort(), await freePort()] as const;
  const replicas: Service[] = [];
  ends.push(() => Promise.all(replicas.map((replica) => replica.stop())));
  for (const [index, port] of ports.entries()) {
    replicas.push(await startService(port, { ...variables, WORKERS: String(index + 1) }));
  }
  const nginx = await startNginx(await freePort(), ports);
  ends.push(nginx.stop);

  const load = startLoad(nginx.base, 300, 8, 5, nginx.ca);
  await load.loading;
  const codes: (number | null)[] = [];
  for (let turn = 0; turn < restarts; turn += 1) {
    const index = turn % 2;
    const [replica, port] = [replicas[index], ports[index]];
    if (replica === undefined || port === undefined) throw new Error('no replica');
    await sleep(500);
    codes.push(await replica.stop());
    replicas[index] = await startService(port, { ...variables, WORKERS: String(index + 1) });
  }
  const ended = Date.now();
  load.stop();
  const sent = await load.done;
  const counts = tally(sent);
  console.log(`${codes.length} restarts, ${sent.length} requests: ${JSON.stringify(counts)}`);
  const wrong: string[] = [];
  if (sent.every((each) => each.ended < ended)) wrong.push('the load ended before the restarts');
  if (codes.some((code) => code !== 0)) wrong.push(`a replica ended with ${codes.join()}`);
  if (Object.keys(counts).some((status) => !['200', '201'].includes(status))) wrong.push('a request failed');
  const limited = await startNginx(await freePort(), ports, true);
  ends.push(limited.stop);
  await checkProxy(limited);
  for (const line of wrong) console.error(`error: ${line}`);
  if (wrong.length > 0) process.exitCode = 1;
} finally {
  for (const stop of ends.toReversed()) await stop();
}
