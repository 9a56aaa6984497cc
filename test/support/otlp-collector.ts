import { readBody, startLoopbackServer } from './loopback-server.ts';

/** One request that the collector got. */
interface Received {
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/**
 * Takes OTLP over HTTP as a collector would: `POST /v1/traces`. What came with one `x-test` header is told at
 * `GET /?<its value>`. A value that begins with `rejects` has one span of each batch rejected, with `fails` all of them.
 */
export async function startOtlpCollector(): Promise<{ url: string; stop(): Promise<void> }> {
  const received = new Map<string, Received[]>();
  return await startLoopbackServer(async (request, response) => {
    const say = (status: number, body: unknown) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    if (request.method === 'GET') return say(200, received.get(request.url?.slice(2) ?? '') ?? []);
    const test = String(request.headers['x-test']);
    const { authorization, 'content-type': contentType } = request.headers;
    const body: unknown = JSON.parse(await readBody(request));
    if (request.url !== '/v1/traces' || test.startsWith('fails')) return say(503, { code: 14, message: 'away' });
    received.set(test, [...(received.get(test) ?? []), { contentType, authorization, body }]);
    // Numbers of 64 bits are text in the JSON of protobuf.
    return say(200, test.startsWith('rejects') ? { partialSuccess: { rejectedSpans: '1', errorMessage: 'bad' } } : {});
  });
}
