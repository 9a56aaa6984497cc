import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { readBody, startLoopbackServer } from './loopback-server.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = (response: ServerResponse, key: string) => void;

/** What a receiver may answer with, beside a plain status. */
const answers: Readonly<Record<string, Answer>> = {
  silent: () => undefined,
  redirect: (response, key) => response.writeHead(307, { location: `/200/${key}`, 'set-cookie': 'a=b' }).end(),
  endless(response) {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  },
  garbage: (response) => response.socket?.end('It is not HTTP that comes here.'),
  hangup: (response) => response.socket?.destroy(),
};

/**
 * A receiver of webhooks: `POST /<answer>/<key>` keeps what came under its key and answers with a status, or in one of
 * the ways above; `GET /<key>` gives what came under it.
 */
export async function startWebhookServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const received = new Map<string, Received[]>();
  const { url, stop } = await startLoopbackServer(async (request, response) => {
    const path = request.url ?? '';
    const [, answer = '', key] = path.split('/');
    if (key === undefined) return void response.end(JSON.stringify(received.get(answer) ?? []));
    const body = await readBody(request);
    received.set(key, [...(received.get(key) ?? []), { path, headers: request.headers, body }]);
    const how = answers[answer];
    if (how === undefined) response.writeHead(Number(answer)).end('ok');
    else how(response, key);
  });
  return { url: `${url}/`, stop };
}
