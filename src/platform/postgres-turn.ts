import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DatabaseProblem, explained } from './postgres-reasons.ts';
import { readConnectionString } from './postgres-url.ts';

/** Any number that nobody else in the database locks: the bytes of "edgeau". */
const advisoryLock = 111_481_905_832_309;
/** How often a migration tries, and how long it then lets others pass, where a table is held: milliseconds. */
const attempts = 5;
const attemptPause = 1000;

export interface MigrationOptions {
  /** Ends what waits or works; the schema then stays as it is. */
  readonly signal?: AbortSignal | undefined;
  /** Hears once for each wait what the migration waits for. */
  readonly onWait?: ((what: string) => void) | undefined;
}

export type Work<T> = (client: pg.Client) => Promise<T>;

/** A connection for what follows, closed afterwards. It sets nothing in its session, which poolers would refuse. */
export async function connected<T>(databaseUrl: string, signal: AbortSignal | undefined, work: Work<T>): Promise<T> {
  signal?.throwIfAborted();
  const client = new pg.Client({
    ...readConnectionString(databaseUrl),
    application_name: 'edge-auth-migrate',
    connectionTimeoutMillis: 10_000,
  });
  // A connection that breaks rejects the statement under way; without a listener it would end the process too.
  client.on('error', () => undefined);
  const breakOff = () => void client.end().catch(() => undefined);
  signal?.addEventListener('abort', breakOff);
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw explained(error, databaseUrl);
  } finally {
    signal?.removeEventListener('abort', breakOff);
    await client.end();
  }
}

/**
 * One transaction that no other migration runs beside.
 * @throws {DatabaseProblem} where another session holds a table for longer than a migration may make others wait
 */
export async function inTurn<T>(client: pg.Client, options: MigrationOptions, work: Work<T>): Promise<T> {
  const { signal, onWait } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transact(client, options, work);
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      if (attempt === attempts) {
        throw new DatabaseProblem(
          'Another session, such as a dump or a long transaction, locks a table that has to change. Try again when it has ended',
          '55P03',
        );
      }
      if (attempt === 1) onWait?.('another session that locks a table');
    }
    await sleep(attemptPause, undefined, { signal });
  }
}

const isLockTimeout = (error: unknown) => error instanceof Error && 'code' in error && error.code === '55P03';

/**
 * What the database or the role may set otherwise, for this transaction alone: a timeout of a role is meant for the
 * statements of requests, and what is read after the wait has to be what the other one left.
 */
const beginning = `begin isolation level read committed read write;
  set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0; set local lock_timeout = 0;
  set local standard_conforming_strings = on`;

async function transact<T>(client: pg.Client, { onWait }: MigrationOptions, work: Work<T>): Promise<T> {
  try {
    await client.query(beginning);
    // The lock ends with the transaction. One of the session would stay on the connection that a pooler keeps.
    const { rows } = await client.query('select pg_try_advisory_xact_lock($1) as taken', [advisoryLock]);
    if (rows[0]?.taken !== true) {
      onWait?.('another migration');
      await client.query('select pg_advisory_xact_lock($1)', [advisoryLock]);
    }
    // A migration that waits for a table makes every later statement on it wait too, reads as well.
    await client.query("set local lock_timeout = '5s'");
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    // The first error is the one to tell, also where the connection went with it.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
