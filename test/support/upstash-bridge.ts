import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createClient, ErrorReply, MultiErrorReply, RESP_TYPES } from 'redis';
import * as z from 'zod';

/** What one bearer token has asked for since its counters were reset. */
export interface Counters {
  readonly requests: number;
  readonly commands: number;
}

export interface UpstashBridge {
  readonly url: string;
  /** Zeros for a token that has not been seen. */
  counters(token: string): Counters;
  stop(): Promise<void>;
}

interface BridgeOptions {
  readonly redisUrl: string;
  /** Every token that begins so is let in, and counted apart: each test file takes one of its own. */
  readonly tokenPrefix?: string;
}

/**
 * Speaks the REST protocol of Upstash in front of a Redis: `POST /` takes one command, `POST /pipeline` and
 * `POST /multi-exec` take several. `GET /counters` tells the counters of the token that asks, `DELETE /counters` resets
 * them; neither counts.
 */
export async function startUpstashBridge({ redisUrl, tokenPrefix = 'test-' }: BridgeOptions): Promise<UpstashBridge> {
  const redis = connect(redisUrl);
  redis.on('error', () => {});
  await redis.connect();
  const scripts = createScripts();
  const counted = new Map<string, Counters>();
  const counters = (token: string) => counted.get(token) ?? { requests: 0, commands: 0 };

  async function answer(request: IncomingMessage): Promise<Answer> {
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
    if (!token?.startsWith(tokenPrefix))
      return { status: 401, body: { error: 'WRONGPASS invalid or missing auth token' } };
    if (request.url === '/counters') {
      if (request.method === 'DELETE') counted.delete(token);
      return { status: 200, body: counters(token) };
    }
    const commands = parse(request.url, await read(request));
    if (commands === undefined) return { status: 400, body: { error: 'ERR failed to parse command' } };
    const { requests, commands: before } = counters(token);
    counted.set(token, { requests: requests + 1, commands: before + commands.length });

    const encode = request.headers['upstash-encoding'] === 'base64' ? 'base64' : 'utf8';
    const sent = commands.map(scripts.translate);
    const replies = request.url === '/multi-exec' ? await transact(redis, sent) : await pipeline(redis, sent);
    const results = replies.map((reply, index) => toResult(scripts.restore(commands[index] ?? [], reply), encode));
    const [first = { error: 'ERR empty command' }] = results;
    if (request.url !== '/') return { status: 200, body: results };
    return { status: 'error' in first ? 400 : 200, body: first };
  }

  const server = createServer((request, response) => {
    answer(request).then(
      (result) => write(response, result),
      (error) =>
        write(response, { status: error instanceof ErrorReply ? 400 : 500, body: { error: String(error.message) } }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    counters,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      redis.destroy();
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Line = readonly string[];

// Bulk strings come as bytes and status replies as strings: base64 is for the first alone.
const connect = (url: string) =>
  createClient({
    url,
    RESP: 2,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
type Client = ReturnType<typeof connect>;

const commandShape = z.array(z.union([z.string(), z.number(), z.boolean()]).transform(String)).min(1);
const shapes: Partial<Record<string, z.ZodType<string[][]>>> = {
  '/': commandShape.transform((command) => [command]),
  '/pipeline': z.array(commandShape).min(1),
  '/multi-exec': z.array(commandShape).min(1),
};

function parse(path: string | undefined, body: string): readonly Line[] | undefined {
  try {
    return shapes[path ?? '']?.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

const keepError = (error: unknown): ErrorReply => {
  if (error instanceof ErrorReply) return error;
  throw error;
};

const pipeline = (redis: Client, commands: readonly Line[]): Promise<unknown[]> =>
  Promise.all(commands.map((command) => redis.sendCommand<unknown>([...command]).catch(keepError)));

async function transact(redis: Client, commands: readonly Line[]): Promise<unknown[]> {
  const multi = redis.multi();
  for (const command of commands) multi.addCommand([...command]);
  try {
    return await multi.exec();
  } catch (error) {
    if (error instanceof MultiErrorReply) return error.replies;
    throw error;
  }
}

type Encoding = 'base64' | 'utf8';

function toResult(reply: unknown, encoding: Encoding): { result: unknown } | { error: string } {
  return reply instanceof ErrorReply ? { error: reply.message } : { result: toJson(reply, encoding) };
}

function toJson(reply: unknown, encoding: Encoding): unknown {
  if (Array.isArray(reply)) return reply.map((item) => toJson(item, encoding));
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString(encoding);
  // Upstash leaves this one status as it is.
  return typeof reply === 'string' && reply !== 'OK' ? Buffer.from(reply).toString(encoding) : reply;
}

/**
 * Upstash takes scripts that begin with `#!lua flags=allow-key-locking`, and plain Redis does not. The line is taken
 * off, and the SHA-1 of the script with it stands for the SHA-1 without.
 */
function createScripts() {
  const stripped = new Map<string, string>();
  const sha1 = (script: string) => createHash('sha1').update(script).digest('hex');
  const strip = (script: string) => {
    const rest = script.replace(/^#!lua flags=allow-key-locking\n/, '');
    if (rest !== script) stripped.set(sha1(script), sha1(rest));
    return rest;
  };
  const known = (hash: string) => stripped.get(hash.toLowerCase()) ?? hash;

  return {
    translate(command: Line): Line {
      const [name = ''] = command;
      const change = (from: number, to: number, map: (argument: string) => string): Line =>
        command.map((argument, index) => (index >= from && index < to ? map(argument) : argument));
      if (/^eval(_ro)?$/i.test(name)) return change(1, 2, strip);
      if (/^evalsha(_ro)?$/i.test(name)) return change(1, 2, known);
      if (isScript(command, 'load')) return change(2, 3, strip);
      if (isScript(command, 'exists')) return change(2, command.length, known);
      return command;
    },
    /** SCRIPT LOAD answers with the SHA-1 of what was sent here. */
    restore(command: Line, reply: unknown): unknown {
      const isLoaded = isScript(command, 'load') && reply instanceof Uint8Array;
      return isLoaded ? Buffer.from(sha1(command[2] ?? '')) : reply;
    },
  };
}

const isScript = ([name = '', subcommand = '']: Line, wanted: string) =>
  name.toLowerCase() === 'script' && subcommand.toLowerCase() === wanted;

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return body;
}

function write(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
