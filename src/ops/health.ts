import { sql } from 'drizzle-orm';
import * as z from 'zod';
import type { Deps } from '../deps.ts';
import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import { addressBucket } from '../limits/client-address.ts';
import { aliveAnswer, aliveResponses } from './alive.ts';

const dependency = z.object({ status: z.enum(['up', 'down']), latency_ms: z.number() });
const ready = z
  .object({
    status: z.enum(['ready', 'degraded', 'unavailable', 'draining']),
    dependencies: z.object({ database: dependency, key_value: dependency }),
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

  const readiness = endpoint({
    method: 'get',
    path: '/readyz',
    operationId: 'readyz',
    tag: 'Operation',
    summary: 'Whether the dependencies answer',
    description: 'Without the key-value store the service goes on, degraded; without the database it cannot.',
    responses: {
      200: { description: 'Ready, or degraded', schema: ready },
      503: { description: 'Unavailable, or about to end', schema: ready },
    },
    errors: [],
    limits: ['readyz_address'],
    prepare: ({ call }) => ({
      hits: [{ policy: 'readyz_address', key: addressBucket(call.origin.address) }],
      subject: undefined,
    }),
    handler: async ({ c }) => {
      const [database, keyValue] = await Promise.all([ask(db.execute(sql`select 1`)), ask(kv.ping())]);
      const dependencies = { database, key_value: keyValue };
      c.header('Cache-Control', 'no-store');
      if (c.env.draining === true) return c.json({ status: 'draining', dependencies }, 503, { 'Retry-After': '1' });
      if (database.status === 'down') {
        return c.json({ status: 'unavailable', dependencies }, 503, { 'Retry-After': '2' });
      }
      return c.json({ status: keyValue.status === 'up' ? 'ready' : 'degraded', dependencies });
    },
  });
  return config.readyz ? [...liveness, readiness] : liveness;
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
