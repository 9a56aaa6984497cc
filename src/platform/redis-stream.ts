import type { RedisStreamConfig } from '../config-events.ts';
import { type CloudEvent, EventUndelivered, type Sink } from '../events/sink.ts';
import { KeyValueUnavailable } from '../kv.ts';

/** How long Redis may take, in milliseconds. Nobody waits for it as for a limit. */
export const streamTimeout = 5000;

/** One XADD: the stream is trimmed to some more than `maxLength` entries, as many as makes no work for Redis. */
export interface Entry {
  readonly stream: string;
  readonly maxLength: number;
  readonly fields: Readonly<Record<string, string>>;
}

/** How a runtime appends an entry. @throws {KeyValueUnavailable} */
export interface StreamWriter {
  append(entry: Entry): Promise<void>;
  close(): Promise<void>;
}

/** Redis Streams: an entry has the id, the type and the subject to look at, and the whole event as JSON in `data`. */
export function createRedisStream({ name, stream, maxLength }: RedisStreamConfig, writer: StreamWriter): Sink {
  return {
    name,
    async publish(event: CloudEvent) {
      const { id, type, subject } = event;
      const fields = { id, type, subject, data: JSON.stringify(event) };
      await writer.append({ stream, maxLength, fields }).catch((error: unknown) => {
        throw error instanceof KeyValueUnavailable ? new EventUndelivered(error.code) : error;
      });
    },
    close: () => writer.close(),
  };
}
