import { errors, Redis } from '@upstash/redis/cloudflare';
import { defineKeyValue, type KeyValue, KeyValueUnavailable } from '../kv.ts';
import { type Command, createRunner, ErrorReply } from './redis-commands.ts';

export interface UpstashOptions {
  /** The REST address: `https://<name>.upstash.io`. */
  readonly url: string;
  readonly token: string;
  /** How long one HTTP request may take before it is given up, in milliseconds. */
  readonly timeout?: number;
}

/**
 * Upstash Redis over its REST protocol: one `run` is one HTTP request, and no request is ever shared between two runs,
 * since on Workers what one request waits for cannot wake another.
 */
export function createUpstashKeyValue({ url, token, timeout = 1000 }: UpstashOptions): KeyValue {
  const redis = createUpstashClient({ url, token, timeout });

  async function exchange(commands: readonly Command[]): Promise<readonly unknown[]> {
    const pipeline = redis.pipeline();
    for (const command of commands) append(pipeline, command);
    const replies = await pipeline.exec<unknown[]>({ keepErrors: true }).catch(rethrow);
    return replies.map(({ error, result }) => (error === undefined ? result : new ErrorReply(error)));
  }

  return defineKeyValue({
    kind: 'upstash',
    run: createRunner(exchange),
    async close() {},
  });
}

/** The client holds an address and headers, no connection: all requests of an isolate may share it. */
export function createUpstashClient({ url, token, timeout = 1000 }: UpstashOptions): Redis {
  try {
    return new Redis({
      url,
      token,
      // `retry: false` would still try twice, and a hit whose answer was lost would count twice.
      retry: { retries: 0 },
      signal: () => AbortSignal.timeout(timeout),
      // It would send reads and writes apart, and mix the commands of runs that happen at once.
      enableAutoPipelining: false,
      enableTelemetry: false,
      // Values come back as the strings they were: neither parsed as JSON nor stripped of a byte order mark.
      automaticDeserialization: false,
      responseEncoding: false,
    });
  } catch {
    // The SDK's own error quotes the address.
    throw new TypeError('The Upstash address is not an HTTP URL');
  }
}

function append(pipeline: ReturnType<Redis['pipeline']>, command: Command): void {
  switch (command.type) {
    case 'eval':
      pipeline.eval(command.source, [...command.keys], [...command.args]);
      return;
    case 'evalsha':
      pipeline.evalsha(command.sha1, [...command.keys], [...command.args]);
      return;
    case 'get':
      pipeline.mget(...command.keys);
      return;
    case 'set': {
      const { key, value, milliseconds, ifAbsent } = command;
      const expiry = milliseconds === undefined ? {} : { px: milliseconds };
      pipeline.set(key, value, ifAbsent ? { nx: true, ...expiry } : expiry);
      return;
    }
  }
}

/** The SDK's messages quote the commands, keys and values included: only what kind of failure it was goes on. */
export function rethrow(error: unknown): never {
  if (error instanceof errors.UpstashJSONParseError) throw new KeyValueUnavailable('unreachable');
  if (error instanceof errors.UpstashError) throw new KeyValueUnavailable(new ErrorReply(error.message).code);
  const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
  throw new KeyValueUnavailable(isTimeout ? 'timeout' : 'unreachable');
}
