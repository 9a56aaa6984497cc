import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startGuarded } from './guarded.ts';
import type { Place } from './postgres-place.ts';
import { isAlive } from './processes.ts';

/** The superuser of the embedded cluster, and the name of its database. */
export const databaseName = 'edge_auth';

/** What Postgres and initdb see of our environment. LC_ALL=C keeps their messages in the language we match against. */
export const postgresEnvironment = { PATH: process.env['PATH'], LC_ALL: 'C' };

/**
 * Makes the data directory where there is none and returns the password of its superuser.
 * initdb works beside the final place and a rename finishes it: what an interrupted one left is never mistaken for
 * data, and the next start sweeps it away. Call it with the directory locked.
 */
export async function makeCluster(place: Place, log: (line: string) => void, signal?: AbortSignal): Promise<string> {
  const passwordFile = join(place.directory, 'password');
  const base = dirname(place.cluster);
  for (const name of await readdir(base)) {
    if (name.startsWith('new-')) {
      await rm(join(base, name), { recursive: true, force: true, maxRetries: 5 });
    }
  }
  const stored = await readFile(passwordFile, 'utf8').catch(() => undefined);
  if (await exists(join(place.cluster, 'PG_VERSION'))) {
    if (stored === undefined || stored === '') {
      throw new Error(`${passwordFile} is missing. Restore it, or remove ${base} to start with an empty database`);
    }
    return stored;
  }
  if (await exists(place.cluster)) {
    const aside = `${place.cluster}.damaged-${Date.now()}`;
    await rename(place.cluster, aside);
    log(`${place.cluster} was not a complete database, so it is now ${basename(aside)}`);
  }
  const password = stored || randomBytes(24).toString('hex');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await initialise(place, password, signal);
  return password;
}

async function initialise(place: Place, password: string, signal?: AbortSignal): Promise<void> {
  const draft = join(dirname(place.cluster), `new-${randomBytes(6).toString('hex')}`);
  const data = join(draft, 'cluster');
  const pwfile = join(draft, 'pwfile');
  await mkdir(data, { recursive: true, mode: 0o711 });
  await writeFile(pwfile, password, { mode: 0o600 });
  if (place.account !== undefined) {
    await chown(data, place.account.uid, place.account.gid);
    await chown(pwfile, place.account.uid, place.account.gid);
  }
  const lines: string[] = [];
  const initdb = await startGuarded(
    {
      command: join(place.binaries, 'initdb'),
      args: [
        `--pgdata=${data}`,
        `--pwfile=${pwfile}`,
        `--username=${databaseName}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // Sorting by code point and lower() for all of Unicode, the same on every machine.
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-instructions',
        '--no-sync',
      ],
      cwd: '/',
      account: place.account,
      stop: [{ signal: 'SIGINT', grace: 500 }],
    },
    postgresEnvironment,
    (line) => lines.push(line),
  );
  const cancel = () => void initdb.stop();
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) {
    cancel();
  }
  const outcome = await initdb.ended;
  signal?.removeEventListener('abort', cancel);
  signal?.throwIfAborted();
  if (outcome !== 'exit code 0') {
    await rm(draft, { recursive: true, force: true });
    throw new Error(`initdb ended with ${outcome}:\n${lines.slice(-10).join('\n')}`);
  }
  await rename(data, place.cluster);
  await rm(draft, { recursive: true, force: true });
}

/**
 * Stops a server that a killed earlier run left on this data directory, and forgets a process id that has since been
 * given to something else (Postgres would refuse to start beside it). Call it with the directory locked: nobody else
 * has a right to a running server then.
 */
export async function endLeftover(cluster: string): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  const pid = Number.parseInt((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0] ?? '', 10);
  if (!(pid > 0) || !isAlive(pid)) {
    return;
  }
  if (!(await isServerOf(pid, cluster))) {
    await rm(pidFile, { force: true });
    return;
  }
  // Fast shutdown, then immediate (the next start recovers from the log), then what cannot be refused.
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    for (let waited = 0; waited < 3_000; waited += 20) {
      if (!isAlive(pid) || !(await isServerOf(pid, cluster))) {
        return;
      }
      if (waited === 0) {
        process.kill(pid, signal);
      }
      await sleep(20);
    }
  }
  throw new Error(`a Postgres server (pid ${pid}) runs on ${cluster} and does not stop. Stop it yourself`);
}

async function isServerOf(pid: number, cluster: string): Promise<boolean> {
  const command =
    process.platform === 'linux'
      ? (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')
      : (await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' })))
          .stdout;
  return command.includes('postgres') && command.includes(` ${cluster} `);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
