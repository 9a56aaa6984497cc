import { KeyValueUnavailable } from '../kv.ts';
import { ErrorReply } from './redis-commands.ts';
import { createRedisConnection } from './redis-connection.ts';
import { type StreamWriter, streamTimeout } from './redis-stream.ts';

/** Appends over TCP, over a connection of its own: a slow append holds up no limit. */
export function createRedisStreamWriter(url: string): StreamWriter {
  const { exchange, close } = createRedisConnection({ url, timeout: streamTimeout });
  return {
    async append({ stream, maxLength, fields }) {
      const line = ['XADD', stream, 'MAXLEN', '~', String(maxLength), '*', ...Object.entries(fields).flat()];
      const [reply] = await exchange([line]);
      if (reply instanceof ErrorReply) throw new KeyValueUnavailable(reply.code);
    },
    close,
  };
}
