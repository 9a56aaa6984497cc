import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { limitVariable } from '../../src/config-limits.ts';
import { password, send } from '../support/client.ts';
import { unlimited } from '../support/service.ts';
import { type Kind, startSubject, surround } from '../support/subject.ts';
import { waitForReadiness } from './readiness.ts';

/** More than the limit of an hour lets through, if they counted. */
const tries = 30;

/**
 * The database takes reads alone, as a primary does that became a replica: `/readyz` says so, and what is refused uses up
 * no limit.
 * @returns what is wrong
 */
export async function readOnly(kind: Kind): Promise<string[]> {
  const surroundings = await surround(kind);
  const service = await startSubject(kind, {
    ...unlimited,
    ...surroundings.variables,
    [limitVariable('register_address')]: `${tries - 10}/3600`,
    LOG_LEVEL: 'error',
  });
  const client = new pg.Client({ connectionString: surroundings.postgresUrl });
  await client.connect();
  client.on('error', () => undefined);
  const wrong: string[] = [];
  const set = async (what: string) => {
    await client.query('set default_transaction_read_only = off');
    await client.query(`alter database postgres ${what}`);
    // Connections keep what they began with.
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()');
  };
  const register = async () => {
    const body = { email: `${crypto.randomUUID()}@example.com`, password };
    return (await send(service.base, 'POST', '/auth/register', { body })).status;
  };
  try {
    if ((await register()) !== 201) wrong.push('nobody can register before');
    await set('set default_transaction_read_only = on');
    const told = await waitForReadiness(service.base, 503, 'read_only');
    console.log(`read only, ${kind}: /readyz said so after ${told}`);
    if (told === undefined) wrong.push('/readyz says ready while no write is taken');
    const refused = new Set<number>();
    for (let n = 0; n < tries; n += 1) refused.add(await register());
    console.log(`read only, ${kind}: ${tries} registrations were answered ${[...refused].join(', ')}`);
    if ([...refused].join() !== '503') wrong.push('an outage is answered with something else than 503');
    await set('reset default_transaction_read_only');
    const back = await waitForReadiness(service.base, 200, 'up');
    if (back === undefined) wrong.push('/readyz does not come back');
    // What was counted is given back after the answer.
    await sleep(500);
    const after = await register();
    console.log(`read only, ${kind}: one more afterwards: ${after}`);
    if (after !== 201) wrong.push('what did not happen used up a limit');
  } finally {
    await client.end();
    await service.stop();
    await surroundings.remove();
  }
  return wrong;
}
