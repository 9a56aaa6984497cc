import { type StreamWriter, streamTimeout } from './redis-stream.ts';
import { createUpstashClient, rethrow } from './upstash.ts';

/** Appends over Upstash's REST protocol. */
export function createUpstashStreamWriter(upstash: { readonly url: string; readonly token: string }): StreamWriter {
  const redis = createUpstashClient({ ...upstash, timeout: streamTimeout });
  return {
    async append({ stream, maxLength, fields }) {
      const trim = { type: 'MAXLEN', comparison: '~', threshold: maxLength } as const;
      await redis.xadd(stream, '*', fields, { trim }).catch(rethrow);
    },
    close: async () => undefined,
  };
}
