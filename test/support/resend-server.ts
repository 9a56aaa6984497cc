import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import * as z from 'zod';
import { resendRun, type resendState } from './resend-state.ts';

const mail = z.strictObject({
  from: z.string(),
  to: z.union([z.email(), z.array(z.email())]),
  subject: z.string().min(1),
  text: z.string().min(1),
  html: z.string().min(1),
  headers: z.record(z.string(), z.string()).optional(),
});

/**
 * Speaks `POST /emails` of Resend's API, as its documentation describes idempotency keys and errors, and can be stopped.
 */
class ResendServer {
  readonly #taken = new Map<string, { readonly hash: string; readonly to: string; readonly subject: string }>();
  readonly #repeated: string[] = [];
  #requests = 0;
  #count = 0;
  #port = 0;
  #server: Server | undefined;
  #run: z.output<typeof resendRun> = {};

  get port(): number {
    return this.#port;
  }

  state(): z.output<typeof resendState> {
    const taken = [...this.#taken].map(([key, { to, subject }]) => ({ key, to, subject }));
    return { taken, repeated: this.#repeated, requests: this.#requests };
  }

  async start(how: z.output<typeof resendRun>): Promise<void> {
    this.#run = how;
    this.#count = 0;
    if (this.#server !== undefined) return;
    const server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    this.#port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requests += 1;
    const body = await read(request);
    const say = (status: number, value: object) => {
      response.writeHead(status, { 'Content-Type': 'application/json', 'Retry-After': '1' });
      response.end(JSON.stringify(value));
    };
    const refuse = (statusCode: number, name: string) =>
      say(statusCode, { statusCode, name, message: `canary ${body}` });
    const canned = this.#run.answers?.shift();
    if (canned !== undefined) return void response.writeHead(canned.status, canned.headers).end(canned.body);
    if (request.method !== 'POST' || request.url !== '/emails') return refuse(404, 'not_found');
    if (request.headers.authorization !== 'Bearer re_test') return refuse(403, 'invalid_api_key');
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || key.length > 256) return refuse(400, 'invalid_idempotency_key');
    const parsed = mail.safeParse(JSON.parse(body));
    if (!parsed.success) return refuse(422, 'validation_error');

    const hash = createHash('sha256').update(body).digest('hex');
    const before = this.#taken.get(key);
    if (before !== undefined) {
      this.#repeated.push(key);
      return before.hash === hash ? say(200, { id: key }) : refuse(409, 'invalid_idempotent_request');
    }
    this.#taken.set(key, { hash, to: String(parsed.data.to), subject: parsed.data.subject });
    this.#count += 1;
    if (this.#run.stopAfter !== undefined && this.#count >= this.#run.stopAfter) return await this.stop();
    if (this.#run.loseEvery !== undefined && this.#count % this.#run.loseEvery === 0)
      return void request.socket.destroy();
    say(200, { id: key });
  }
}

/**
 * Makes such servers for tests on both runtimes: `POST /` starts one and gives its port; below `/<port>`, `GET` tells
 * what it has taken, and `PUT` starts it again as the body says, or stops it where the body is `null`.
 */
export async function startResendServers(): Promise<{ url: string; stop(): Promise<void> }> {
  const servers = new Map<string, ResendServer>();
  const answer = async (request: IncomingMessage): Promise<object | undefined> => {
    const name = request.url?.slice(1) ?? '';
    if (request.method === 'POST') {
      const server = new ResendServer();
      await server.start({});
      servers.set(String(server.port), server);
      return { port: server.port };
    }
    const server = servers.get(name);
    if (server === undefined) return undefined;
    if (request.method === 'GET') return server.state();
    const how = resendRun.nullable().parse(JSON.parse(await read(request)));
    await (how === null ? server.stop() : server.start(how));
    return {};
  };
  const control = createServer((request, response) => {
    answer(request).then(
      (value) => response.writeHead(value === undefined ? 404 : 200).end(JSON.stringify(value ?? {})),
      () => response.writeHead(400).end('{}'),
    );
  });
  control.listen(0, '127.0.0.1');
  await once(control, 'listening');
  const address = control.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    async stop() {
      for (const server of servers.values()) await server.stop();
      control.closeAllConnections();
      await new Promise((resolve) => control.close(resolve));
    },
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
