import { sql } from 'drizzle-orm';
import * as z from 'zod';
import type { Database } from '../db/database.ts';
import { isWritable } from '../db/writable.ts';
import type { Deps } from '../deps.ts';
import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import { aliveAnswer, aliveResponses } from './alive.ts';

const dependency = z.object({ status: z.enum(['up', 'down']), latency_ms: z.number() });
/** Reads and writes are told apart: a replica, or a full disk, still answers reads. */
const database = z.object({ status: z.enum(['up', 'read_only', 'down']), latency_ms: z.number() });
const ready = z
  .object({
    status: z.enum(['ready', 'degraded', 'unavailable', 'draining']),
    dependencies: z.object({ database, key_value: dependency }),
  })
  .meta({
    id: 'Ready',
    examples: [
      {
        status: 'degraded',
        dependencies: { database: { status: 'up', latency_ms: 3 }, key_value: { status: 'down', latency_ms: 2000 } },
      },
    ],
  });

/** How long a dependency may take to answer: milliseconds. */
const patience = 2000;
/** For how long it is believed that the database takes writes: milliseconds. */
const writableTime = 5000;

/** Liveness says that the process answers; readiness asks the dependencies. */
export function healthRoutes(
  { config, db, kv, now }: Pick<Deps, 'config' | 'db' | 'kv' | 'now'>,
  version: string,
): Endpoint[] {
  const liveness = ['health', 'healthz'].map((name) =>
    endpoint({
      method: 'get',
      path: `/${name}`,
      operationId: name,
      tag: 'Operation',
      summary: 'Check that the process answers',
      responses: aliveResponses,
      errors: [],
      prepare: unlimited,
      handler: ({ c }) => c.json(aliveAnswer(version)),
    }),
  );

  async function ask(question: Promise<unknown>): Promise<z.output<typeof dependency>> {
    const start = now();
    const status = await withPatience(question).then(
      () => 'up' as const,
      () => 'down' as const,
    );
    return { status, latency_ms: now() - start };
  }

  let writableUntil = Number.NEGATIVE_INFINITY;

  /** Asks for a write every few seconds, and for a read in between. */
  async function askDatabase(): Promise<z.output<typeof database>> {
    const left = writableUntil - now();
    const read = () => ask(db.execute(sql`select 1`));
    if (left > 0 && left <= writableTime) return await read();
    const start = now();
    const written = await ask(requireWritable(db));
    if (written.status === 'up') {
      writableUntil = start + writableTime;
      return written;
    }
    writableUntil = Number.NEGATIVE_INFINITY;
    const { status, latency_ms } = await read();
    return { status: status === 'up' ? 'read_only' : 'down', latency_ms };
  }

  const readiness = endpoint({
    method: 'get',
    path: '/readyz',
    operationId: 'readyz',
    tag: 'Operation',
    summary: 'Check that the dependencies answer',
    description:
      'Answers 200 with `degraded` if the key-value store is down, and 503 if the database is down or refuses writes.',
    responses: {
      200: { description: 'Ready, or degraded', schema: ready },
      503: { description: 'Unavailable, or about to stop', schema: ready },
    },
    errors: [],
    limits: ['readyz_address'],
    prepare: async ({ call }) => ({
      hits: [{ policy: 'readyz_address', key: await call.addressKey() }],
      subject: undefined,
    }),
    handler: async ({ c }) => {
      const [asked, keyValue] = await Promise.all([askDatabase(), ask(kv.ping())]);
      const dependencies = { database: asked, key_value: keyValue };
      c.header('Cache-Control', 'no-store');
      if (c.env.draining === true) return c.json({ status: 'draining', dependencies }, 503, { 'Retry-After': '1' });
      if (asked.status !== 'up') {
        return c.json({ status: 'unavailable', dependencies }, 503, { 'Retry-After': '2' });
      }
      return c.json({ status: keyValue.status === 'up' ? 'ready' : 'degraded', dependencies });
    },
  });
  return config.readyz ? [...liveness, readiness] : liveness;
}

async function requireWritable(db: Database): Promise<void> {
  if (!(await isWritable(db))) throw new Error('The database is read only');
}

async function withPatience(question: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('No answer in time')), patience);
  });
  try {
    await Promise.race([question, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
