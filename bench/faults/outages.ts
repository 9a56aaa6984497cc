import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../dev/ports.ts';
import { limitVariable } from '../../src/config-limits.ts';
import { password, send } from '../support/client.ts';
import { startService, unlimited } from '../support/service.ts';
import { startStores } from '../support/stores.ts';

const people = 60;
/** How soon all that waits is delivered when a sink is back: milliseconds. Some may be under way, and wait for two minutes. */
const longest = 45_000;

/**
 * A sink is away and comes back; the database takes reads alone; the database is away.
 * @returns what is wrong
 */
export async function outages(): Promise<string[]> {
  const taken = new Set<string>();
  let isDown = true;
  const sink = createServer((request, response) => {
    request.resume().once('end', () => {
      if (!isDown) taken.add(String(request.headers['webhook-id']));
      response.writeHead(isDown ? 503 : 200).end();
    });
  });
  const sinkPort = await freePort();
  await new Promise<void>((resolve) => sink.listen(sinkPort, '127.0.0.1', resolve));
  const stores = await startStores();
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64');
  const hook = {
    name: 'check',
    url: `http://127.0.0.1:${sinkPort}/events`,
    secrets: [`whsec_${secret}`],
  };
  const service = await startService(await freePort(), {
    ...unlimited,
    ...stores.variables,
    [limitVariable('register_address')]: `${people + 20}/3600`,
    ENVIRONMENT: 'dev',
    WORKERS: '1',
    LOG_LEVEL: 'error',
    WEBHOOKS: JSON.stringify([hook]),
    WEBHOOK_ALLOW_PRIVATE: 'true',
  });
  const client = new pg.Client({ connectionString: stores.postgres.url });
  await client.connect();
  client.on('error', () => undefined);
  const wrong: string[] = [];
  const register = async () =>
    (
      await send(service.base, 'POST', '/auth/register', {
        body: { email: `${crypto.randomUUID()}@example.com`, password },
      })
    ).status;
  const ready = async () => (await send(service.base, 'GET', '/readyz')).status;
  try {
    for (let n = 0; n < people; n += 1) if ((await register()) !== 201) throw new Error('nobody can register');
    await sleep(35_000);
    isDown = false;
    const back = Date.now();
    while (taken.size < 2 * people && Date.now() - back < 150_000) await sleep(200);
    const took = Date.now() - back;
    console.log(`outages: ${taken.size} of ${2 * people} events after ${(took / 1000).toFixed(1)} s`);
    if (taken.size < 2 * people || took > longest)
      wrong.push('what waited was not delivered soon after the sink came back');

    await client.query('alter database postgres set default_transaction_read_only = on');
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()');
    const readOnly = Date.now();
    while ((await ready()) !== 503 && Date.now() - readOnly < 20_000) await sleep(200);
    console.log(
      `outages: /readyz said so ${((Date.now() - readOnly) / 1000).toFixed(1)} s after the database was set to read only`,
    );
    if ((await ready()) !== 503) wrong.push('/readyz says ready while no write is taken');
    // More than the limit of an hour lets through, if they counted.
    const refused = new Set<number>();
    for (let n = 0; n < 30; n += 1) refused.add(await register());
    console.log(`outages: 30 registrations meanwhile were answered ${[...refused].join(', ')}`);
    if ([...refused].join() !== '503') wrong.push('an outage is answered with something else than 503');
    await client.query('set default_transaction_read_only = off');
    await client.query('alter database postgres reset default_transaction_read_only');
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()');
    const mended = Date.now();
    while ((await ready()) !== 200 && Date.now() - mended < 20_000) await sleep(200);
    const after = await register();
    console.log(`outages: one more afterwards: ${after}`);
    if (after !== 201) wrong.push('what did not happen used up a limit');
  } finally {
    await client.end();
    await service.stop();
    await stores.remove();
    sink.closeAllConnections();
    sink.close();
  }
  return wrong;
}
