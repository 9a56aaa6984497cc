import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Guarded, startGuarded } from '../../dev/guarded.ts';
import { freePort } from '../../dev/ports.ts';
import { databaseName, makeCluster, postgresEnvironment } from '../../dev/postgres-cluster.ts';
import { findPlace } from '../../dev/postgres-place.ts';

export interface OwnPostgres {
  /** Of the database `postgres`, of a superuser. */
  readonly url: string;
  /** Shuts the server down in order, and cuts its connections (`pg_ctl stop -m fast`). */
  down(): Promise<void>;
  /** Starts it again on the same port; resolves when it takes connections. */
  up(): Promise<void>;
  /** Ends it and deletes its data. */
  remove(): Promise<void>;
}

interface Options {
  /** Where it lives: deleted at the end. */
  readonly directory?: string;
  /** Further ones, as `name=value`. */
  readonly settings?: readonly string[];
}

/** A Postgres for this command alone, on a port of its own, which may be stopped and started again. */
export async function startOwnPostgres({
  directory = mkdtempSync(join(tmpdir(), 'edge-auth-bench-')),
  settings: more = [],
}: Options = {}): Promise<OwnPostgres> {
  // Postgres may run as an account of its own, which has to get through.
  chmodSync(directory, 0o755);
  const place = await findPlace(join(directory, 'postgres'), () => undefined);
  const password = await makeCluster(place, () => undefined);
  const port = await freePort();
  const url = `postgres://${databaseName}:${password}@127.0.0.1:${port}/postgres`;
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=100',
    'io_method=sync',
    ...more,
  ];
  let server: Guarded | undefined;

  async function up(): Promise<void> {
    server = await startGuarded(
      {
        command: join(place.binaries, 'postgres'),
        args: ['-D', place.cluster, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
        cwd: '/',
        account: place.account,
        stop: [{ signal: 'SIGINT', grace: 10_000 }],
      },
      postgresEnvironment,
      () => undefined,
    );
    for (let tries = 0; ; tries += 1) {
      const client = new pg.Client({ connectionString: url });
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        if (tries > 1000) throw error;
        await sleep(20);
      }
    }
  }

  async function down(): Promise<void> {
    await server?.stop();
    server = undefined;
  }

  try {
    await up();
  } catch (error) {
    await down();
    throw error;
  }
  return {
    url,
    down,
    up,
    async remove() {
      await down();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
