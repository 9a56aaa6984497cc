import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import pg from 'pg';
import * as z from 'zod';
import { BodyTooLarge, readBody, sendJson } from './http.ts';
import { ConnectFailed, execute } from './neon-execution.ts';
import { errorBody, sqlHeaders, sqlRequest } from './neon-protocol.ts';

/** Neon's own limit, for requests and for responses. */
const maxBytes = 64 * 1024 * 1024;

export interface Counters {
  /** HTTP requests: round trips, as the application sees them. */
  readonly requests: number;
  /** Statements in them; what a batch adds around its own does not count. */
  readonly statements: number;
}

export interface NeonEndpointOptions {
  /** The Postgres behind: its host and port are used, whatever a client's connection string says. */
  readonly postgresUrl: string;
  /** Default: any free port. */
  readonly port?: number;
  /** How long a connection to Postgres stays open unused, in milliseconds. */
  readonly idleTimeout?: number;
  /** Hears of each statement before it runs; parameters are left out. */
  readonly onStatement?: (statement: { readonly database: string; readonly text: string }) => void;
}

export interface NeonEndpoint {
  /** What the driver's `fetchEndpoint` should be. */
  readonly url: string;
  readonly port: number;
  counters(database: string): Counters;
  resetCounters(database: string): void;
  stop(): Promise<void>;
}

/**
 * Serves Neon's HTTP protocol on 127.0.0.1 in front of an ordinary Postgres, as the driver @neondatabase/serverless
 * speaks it: `POST /sql`. User, password and database come from each request's connection string; Postgres checks them.
 * `GET /counters?database=x` tells what `counters` does, `DELETE` resets it: for tests that run inside workerd.
 */
export async function startNeonEndpoint(options: NeonEndpointOptions): Promise<NeonEndpoint> {
  const { postgresUrl, idleTimeout = 5_000 } = options;
  const backend = new URL(postgresUrl);
  const pools = new Map<string, pg.Pool>();
  const counts = new Map<string, { requests: number; statements: number }>();
  const countersOf = (database: string) => counts.get(database) ?? { requests: 0, statements: 0 };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname === '/counters') {
      const database = url.searchParams.get('database') ?? '';
      if (request.method === 'DELETE') {
        counts.delete(database);
      }
      return sendJson(response, 200, { ...countersOf(database) });
    }
    if (url.pathname !== '/sql' || request.method !== 'POST') {
      return sendJson(response, 404, { message: 'POST /sql, GET /counters or DELETE /counters' });
    }
    const headers = sqlHeaders.parse(request.headers);
    const target = parseTarget(headers['neon-connection-string']);
    const body = sqlRequest.parse(JSON.parse(await readBody(request, maxBytes)));
    const batch = 'queries' in body;
    const statements = batch ? body.queries : [body];

    const count = { ...countersOf(target.database) };
    counts.set(target.database, { requests: count.requests + 1, statements: count.statements + statements.length });
    for (const { query } of statements) {
      options.onStatement?.({ database: target.database, text: query });
    }

    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const results = await execute(poolOf(pools, backend, target, idleTimeout), statements, batch, headers, gone.signal);
    const text = JSON.stringify(batch ? { results } : results[0]);
    if (text.length > maxBytes) {
      return sendJson(response, 507, { message: `response is too large (max is ${maxBytes} bytes)` });
    }
    sendJson(response, 200, text);
  };

  // A driver that keeps connections shall not find one closed just when it uses it again.
  const server = createServer({ keepAliveTimeout: 300_000 }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) {
        sendJson(response, statusOf(error), errorBody(readable(error)));
      }
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());

  return {
    url: `http://127.0.0.1:${port}/sql`,
    port,
    counters: (database) => ({ ...countersOf(database) }),
    resetCounters: (database) => void counts.delete(database),
    async stop() {
      server.close();
      server.closeAllConnections();
      // Statements still running would hold the pools; they end with their connections when Postgres does.
      const ended = Promise.all([...pools.values()].map((pool) => pool.end()));
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500).unref())]);
    },
  };
}

interface Target {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

function parseTarget(connectionString: string): Target {
  const url = URL.canParse(connectionString) ? new URL(connectionString) : undefined;
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw new TypeError('invalid connection string');
  }
  // A real database's address here is a mistake, and its password must not be tried on this one.
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)) {
    throw new TypeError('this endpoint serves only a local Postgres');
  }
  return {
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
  };
}

function poolOf(pools: Map<string, pg.Pool>, backend: URL, target: Target, idleTimeout: number): pg.Pool {
  const key = JSON.stringify(target);
  let pool = pools.get(key);
  if (pool === undefined) {
    pool = new pg.Pool({
      ...target,
      host: backend.hostname,
      port: Number(backend.port || 5432),
      max: 20,
      idleTimeoutMillis: idleTimeout,
      connectionTimeoutMillis: 15_000,
      allowExitOnIdle: true,
    });
    // A connection may break at any time, idle or in use: the statement on it fails, nothing else.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    pools.set(key, pool);
  }
  return pool;
}

function statusOf(error: unknown): number {
  if (error instanceof ConnectFailed) {
    return error.wrongPassword ? 400 : 500;
  }
  return error instanceof BodyTooLarge ? 413 : 400;
}

function readable(error: unknown): unknown {
  return error instanceof z.ZodError ? new Error(error.issues[0]?.message ?? 'invalid request') : error;
}
