const came: unknown[] = [];

export default {
  async fetch(request, { EVENTS }) {
    if (request.method === 'GET') return Response.json(came);
    await EVENTS.send(await request.json(), { contentType: 'json' });
    return new Response(null, { status: 204 });
  },
  async queue(batch) {
    for (const { body } of batch.messages) came.push(body);
    batch.ackAll();
  },
} satisfies ExportedHandler<{ readonly EVENTS: Queue }>;
