import type { CloudEvent } from '../../../src/events/sink.ts';
import { createCloudflareQueue } from '../../../src/platform/cloudflare-queue.ts';

interface Env {
  readonly DB: D1Database;
  readonly EVENTS: Queue<unknown>;
}

/** Bodies of dead letters, as JSON. */
const dead: unknown[] = [];

export default {
  /** `POST /` hands events to the sink, `POST /raw` anything to the queue; `GET /` tells what came of them. */
  async fetch(request, { DB, EVENTS }) {
    if (request.method === 'POST') {
      const bodies = await request.json<CloudEvent[]>();
      const isRaw = new URL(request.url).pathname === '/raw';
      const sink = createCloudflareQueue('queue', EVENTS);
      for (const body of bodies) await (isRaw ? EVENTS.send(body, { contentType: 'json' }) : sink.publish(body));
      return new Response(null, { status: 204 });
    }
    const { results } = await DB.prepare('select id, email, username from users order by id').all();
    return Response.json({ users: results, dead });
  },
  async queue(batch) {
    for (const { body } of batch.messages) dead.push(body);
  },
} satisfies ExportedHandler<Env, unknown>;
