import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import * as z from 'zod';
import { BodyTooLarge, readBody, sendJson } from './http.ts';
import { inboxPage } from './mailbox-page.ts';

const maxBytes = 1024 * 1024;
const maxMessages = 500;

const incoming = z.object({
  to: z.string().min(1).max(1_000),
  subject: z.string().max(2_000),
  text: z.string(),
  html: z.string(),
});

/** One email as it was sent; `at` is when it arrived, ISO 8601 in UTC. */
export type Message = z.infer<typeof incoming> & { readonly at: string };

export interface Mailbox {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Catches the emails of a development server instead of sending them: `POST /messages`, `GET /messages.json` (newest
 * first), `DELETE /messages`, and `/` to read them in a browser. Listens on 127.0.0.1 and keeps the last 500 in memory.
 * The emails carry working links, so no web page may read or fill it: a foreign Host is refused (DNS rebinding), and
 * writing takes JSON or DELETE, which browsers do not send across origins unasked.
 * @param port to listen on; 0 for any
 */
export async function startMailbox(port: number, now: () => number = Date.now): Promise<Mailbox> {
  let messages: Message[] = [];

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader('cache-control', 'no-store');
    response.setHeader('cross-origin-resource-policy', 'same-origin');
    if (!isLocalHost(request.headers.host)) {
      return sendJson(response, 403, { message: 'the mailbox answers to localhost only' });
    }
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    switch (`${request.method} ${pathname}`) {
      case 'GET /':
        return inboxPage(response, messages);
      case 'GET /messages.json':
        return sendJson(response, 200, messages);
      case 'POST /messages': {
        if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
          return sendJson(response, 415, { message: 'application/json, please' });
        }
        const message = incoming.parse(JSON.parse(await readBody(request, maxBytes)));
        messages = [{ ...message, at: new Date(now()).toISOString() }, ...messages].slice(0, maxMessages);
        return sendJson(response, 201, {});
      }
      case 'DELETE /messages':
        messages = [];
        return sendJson(response, 200, {});
      default:
        return sendJson(response, 404, { message: 'GET /, GET /messages.json, POST /messages or DELETE /messages' });
    }
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (error instanceof BodyTooLarge) {
        sendJson(response, 413, { message: error.message });
      } else {
        sendJson(response, 400, { message: 'expected {to, subject, text, html}, all strings' });
      }
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://localhost:${address.port}`,
    port: address.port,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function isLocalHost(host: string | undefined): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host ?? '');
}
