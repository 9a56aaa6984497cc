// Node only: starts and kills operating system processes.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../dev/embedded-postgres.ts';
import { isAlive } from '../../dev/processes.ts';

let directory: string;
let running: EmbeddedPostgres | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edge-auth-postgres-'));
});

afterAll(async () => {
  await running?.stop();
  await rm(directory, { recursive: true, force: true });
});

const start = async (): Promise<EmbeddedPostgres> => {
  running = await startEmbeddedPostgres({ directory, durable: false });
  return running;
};

const query = async (url: string, text: string): Promise<unknown[]> => {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
};

const serverPid = async () =>
  Number((await readFile(join(directory, 'cluster/postmaster.pid'), 'utf8')).split('\n')[0]);

it('gives up a start when told to, and leaves the directory fit for another', async () => {
  const signal = AbortSignal.timeout(150);
  await expect(startEmbeddedPostgres({ directory, durable: false, signal })).rejects.toThrow(/aborted|timeout/);
});

it('makes a UTF-8 database that sorts by code point, on 127.0.0.1, with a password', async () => {
  const postgres = await start();
  expect(postgres.url).toMatch(
    new RegExp(`^postgres://edge_auth:[0-9a-f]{48}@127\\.0\\.0\\.1:${postgres.port}/edge_auth$`),
  );
  expect(
    await query(
      postgres.url,
      `SELECT current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS addresses,
        current_setting('TimeZone') AS timezone, 'a' > 'B' AS by_code_point, lower('ÄŁ') AS lowered`,
    ),
  ).toEqual([{ encoding: 'UTF8', addresses: '127.0.0.1', timezone: 'UTC', by_code_point: true, lowered: 'äł' }]);
  await expect(query(postgres.url.replace(/:[0-9a-f]{48}@/, ':wrong@'), 'SELECT 1')).rejects.toThrow(/password/);
  expect((await stat(join(directory, 'password'))).mode & 0o777).toBe(0o600);
});

it('keeps its data over a restart', async () => {
  const first = running ?? (await start());
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  expect(await first.ended).toBe('exit code 0');
  const second = await start();
  expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

it('refuses a second start on the same directory and names who has it', async () => {
  await expect(startEmbeddedPostgres({ directory, durable: false })).rejects.toThrow(
    `is in use by another process (pid ${process.pid}). Stop it first`,
  );
});

it('starts again after its server was killed, and says that it ended', async () => {
  const first = running ?? (await start());
  process.kill(await serverPid(), 'SIGKILL');
  expect(await first.ended).toBe('signal SIGKILL');
  await first.stop();
  const second = await start();
  expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  await second.stop();
});

/** Starts the same in a process of its own, which then kills itself as `how` says. */
const startAndDie = (how: string) => {
  const module = JSON.stringify(join(import.meta.dirname, '../../dev/embedded-postgres.ts'));
  const script = `
    import childProcess from 'node:child_process';
    import { syncBuiltinESMExports } from 'node:module';
    const spawn = childProcess.spawn;
    let guard;
    childProcess.spawn = (...options) => (guard = spawn(...options));
    syncBuiltinESMExports();
    const { startEmbeddedPostgres } = await import(${module});
    await startEmbeddedPostgres({ directory: ${JSON.stringify(directory)}, durable: false });
    ${how}
    process.kill(process.pid, 'SIGKILL');`;
  return expect(promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])).rejects.toMatchObject({
    signal: 'SIGKILL',
  });
};

it('ends with its parent, even by SIGKILL', async () => {
  await startAndDie('');
  const pid = await serverPid().catch(() => undefined);
  await expect.poll(() => pid === undefined || !isAlive(pid)).toBe(true);
});

it('stops a server that an earlier run left, and takes its data over', async () => {
  // The guard goes first, so that nobody is left to end the server.
  await startAndDie("process.kill(guard.pid, 'SIGKILL');");
  const left = await serverPid();
  expect(isAlive(left)).toBe(true);
  const postgres = await start();
  expect(isAlive(left)).toBe(false);
  expect(await query(postgres.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  await postgres.stop();
});

it('is not stopped by the process ids of the past', async () => {
  // 999999999 runs nowhere; our own id runs, and is no Postgres.
  for (const pid of [999_999_999, process.pid]) {
    await writeFile(join(directory, 'cluster/postmaster.pid'), `${pid}\n/x\n1\n5432\n\n127.0.0.1\n  1 1\nready   \n`);
    await (await start()).stop();
  }
});

it('heals a half-made directory, and never throws data away', async () => {
  await rm(directory, { recursive: true });
  await mkdir(join(directory, 'new-0123/cluster/base'), { recursive: true });
  await mkdir(join(directory, 'cluster/base'), { recursive: true });
  const lines: string[] = [];
  running = await startEmbeddedPostgres({ directory, durable: false, log: (line) => lines.push(line) });
  expect(lines.join()).toMatch(/was not a complete database, so it is now cluster\.damaged-\d+/);
  await expect(stat(join(directory, 'new-0123'))).rejects.toThrow('ENOENT');
  await running.stop();
  await rm(join(directory, 'password'));
  await expect(start()).rejects.toThrow(/password is missing/);
});
