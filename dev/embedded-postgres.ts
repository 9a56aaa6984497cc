import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { lockDirectory } from './directory-lock.ts';
import { type Guarded, startGuarded } from './guarded.ts';
import { freePort } from './ports.ts';
import { databaseName, endLeftover, makeCluster, postgresEnvironment } from './postgres-cluster.ts';
import { findPlace, type Place } from './postgres-place.ts';

export interface EmbeddedPostgresOptions {
  /** Holds data, password and lock. Made when it is not there; the same directory brings the same data back. */
  readonly directory: string;
  /** Receives what a person should know, line by line; never a statement or a value. */
  readonly log?: (line: string) => void;
  /** `false` trades crash safety for speed: for tests. */
  readonly durable?: boolean;
  /** Gives up a start that is under way; a running server is ended by `stop`. */
  readonly signal?: AbortSignal;
}

export interface EmbeddedPostgres {
  /** `postgres://user:password@127.0.0.1:port/edge_auth`, of a superuser. */
  readonly url: string;
  readonly port: number;
  /** Resolves when the server has ended, wanted or not, with how. */
  readonly ended: Promise<string>;
  /** Shuts the server down in order, within 3 s. May be called twice. */
  stop(): Promise<void>;
}

/** Reasons to try again: orphans of a killed server that are still leaving, or a port lost to somebody quicker. */
const passing = /pre-existing shared memory block|lock file "postmaster\.pid"|could not create any TCP\/IP sockets/;

/**
 * Starts a real Postgres on 127.0.0.1, on a free port, with its data in `directory`. It ends with this process, however
 * this process ends. What an interrupted earlier run left behind (half-made data, a server still running) is put right.
 * @throws when another process uses the directory, or Postgres cannot run here; the message says what to do
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { durable = true, log = () => undefined, signal } = options;
  const place = await findPlace(options.directory, log);
  const unlock = lockDirectory(place.directory);
  try {
    await endLeftover(place.cluster);
    const password = await makeCluster(place, log, signal);
    const { server, port } = await startServer(place, durable, log, signal);
    const url = `postgres://${databaseName}:${password}@127.0.0.1:${port}/${databaseName}`;
    const stop = async () => {
      await server.stop();
      unlock();
    };
    try {
      await ensureDatabase(url);
    } catch (error) {
      await stop();
      throw error;
    }
    return { url, port, ended: server.ended, stop };
  } catch (error) {
    unlock();
    throw error;
  }
}

async function startServer(
  place: Place,
  durable: boolean,
  log: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<{ server: Guarded; port: number }> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    signal?.throwIfAborted();
    const port = await freePort();
    const lines: string[] = [];
    let ready = false;
    const server = await startGuarded(
      {
        command: join(place.binaries, 'postgres'),
        args: ['-D', place.cluster, '-p', String(port), ...settings(durable)],
        cwd: '/',
        account: place.account,
        // Fast shutdown; then immediate, from which the next start recovers.
        stop: [
          { signal: 'SIGINT', grace: 2_000 },
          { signal: 'SIGQUIT', grace: 700 },
        ],
      },
      postgresEnvironment,
      (line) => (ready ? log(line) : lines.push(line)),
    );
    const outcome = await Promise.race([accepting(place.cluster, server, port, signal), server.ended]);
    if (outcome === true) {
      ready = true;
      return { server, port };
    }
    signal?.throwIfAborted();
    const words = lines.slice(-10).join('\n');
    if (Date.now() > deadline || !passing.test(words)) {
      throw new Error(`Postgres did not start (${outcome}):\n${words}`);
    }
    await endLeftover(place.cluster);
    await sleep(100);
  }
}

/** True once the server itself says so in its pid file: nobody else on that port can be mistaken for it. */
async function accepting(cluster: string, server: Guarded, port: number, signal?: AbortSignal): Promise<true> {
  let running = true;
  void server.ended.then(() => {
    running = false;
  });
  while (running) {
    const [pid, , , listening, , , , status] = (
      await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')
    ).split('\n');
    if (pid === String(server.pid) && listening === String(port) && status?.trim() === 'ready') {
      return true;
    }
    if (signal?.aborted) {
      await server.stop();
    }
    await sleep(10);
  }
  // The caller hears of the end from `server.ended`.
  return new Promise<never>(() => undefined);
}

function settings(durable: boolean): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    cluster_name: 'edge-auth',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Statements and their values are nobody's business: what a failed one carried stays out of the log.
    log_min_messages: 'fatal',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    jit: 'off',
    io_method: 'sync',
    max_connections: durable ? '100' : '500',
    ...(durable
      ? {}
      : {
          fsync: 'off',
          synchronous_commit: 'off',
          full_page_writes: 'off',
          wal_level: 'minimal',
          max_wal_senders: '0',
          // It would visit each of the tests' hundred databases once a minute.
          autovacuum: 'off',
        }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: new URL('/postgres', url).href });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName]);
    if (found.rowCount === 0) {
      await client.query(`CREATE DATABASE ${databaseName}`);
    }
  } finally {
    await client.end();
  }
}
