import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { password, send, tokens } from '../support/client.ts';
import { startOwnPostgres } from '../support/own-postgres.ts';
import { unlimited } from '../support/service.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { type Kind, startSubject, surround } from '../support/subject.ts';
import { waitForReadiness } from './readiness.ts';

/** MiB: what an empty cluster takes, its log, and some room. */
const size = 200;
/** Until the pages that are there have no room for another user. */
const most = 3000;

/**
 * The disk of Postgres is full: `/readyz` says that no write is taken, reads go on, and the service is back by itself when
 * there is space again.
 * @returns what is wrong
 */
export async function fullDisk(kind: Kind): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-full-'));
  const disk = mountSmallDisk(directory, size);
  try {
    return await onDisk(kind, directory, disk);
  } finally {
    disk.unmount();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function onDisk(kind: Kind, directory: string, disk: ReturnType<typeof mountSmallDisk>): Promise<string[]> {
  const settings = ['min_wal_size=48MB', 'max_wal_size=48MB', 'autovacuum=off'];
  const own = join(directory, 'own');
  mkdirSync(own);
  const surroundings = await surround(kind, () => startOwnPostgres({ directory: own, settings }));
  const service = await startSubject(kind, { ...unlimited, ...surroundings.variables, LOG_LEVEL: 'error' });
  const client = new pg.Client({ connectionString: surroundings.postgresUrl });
  client.on('error', () => undefined);
  await client.connect();
  const wrong: string[] = [];
  const register = () =>
    send(service.base, 'POST', '/auth/register', { body: { email: `${crypto.randomUUID()}@example.com`, password } });
  try {
    const before = await register();
    if (before.status !== 201) wrong.push('nobody can register before');
    const { access_token: bearer } = tokens.parse(before.answer);
    // The log has its next files: what has no room is the data.
    for (let files = 0; files < 2; files += 1)
      await client.query('select pg_switch_wal()').then(() => client.query('checkpoint'));
    disk.fill();
    const told = await waitForReadiness(service.base, 503, 'read_only');
    console.log(`full disk, ${kind}: /readyz said so after ${told}`);
    if (told === undefined) wrong.push('/readyz says ready while the disk is full');
    let answered = await register();
    let written = 0;
    for (; answered.status === 201 && written < most; written += 1) answered = await register();
    const read = (await send(service.base, 'GET', '/users/me', { bearer })).status;
    console.log(
      `full disk, ${kind}: after ${written} registrations in pages that had room, ${answered.status} with Retry-After ` +
        `${answered.retryAfter}; a read ${read}`,
    );
    if (answered.status !== 503 || answered.retryAfter === null) wrong.push('a write is not answered 503');
    if (read !== 200) wrong.push('reads do not go on');
    await sleep(6000);
    if ((await waitForReadiness(service.base, 503, 'read_only')) === undefined) wrong.push('/readyz forgets the disk');
    disk.free();
    const back = await waitForReadiness(service.base, 200, 'up');
    const after = (await register()).status;
    console.log(`full disk, ${kind}: with space again /readyz came back after ${back}; a registration ${after}`);
    if (back === undefined || after !== 201) wrong.push('the service does not come back by itself');
  } finally {
    await client.end();
    await service.stop();
    await surroundings.remove();
  }
  return wrong;
}
