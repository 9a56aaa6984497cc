import { createHash } from 'node:crypto';
import { defineKeyValue, type KeyValue } from '../kv.ts';
import { type Command, createRunner } from './redis-commands.ts';
import { createRedisConnection, type RedisOptions } from './redis-connection.ts';
import type { Script } from './redis-scripts.ts';

interface Clock {
  /** Milliseconds since the epoch, as the caller tells time. */
  readonly now?: () => number;
}

/**
 * Redis over TCP. The client gathers the commands of one `run` (and of all runs of one turn of the event loop) into one
 * write. Connects when first asked; a lost connection is opened again by the first run that needs it.
 */
export function createRedisKeyValue({ now = Date.now, ...options }: RedisOptions & Clock): KeyValue {
  const { exchange, close } = createRedisConnection(options);

  return defineKeyValue({
    kind: 'redis',
    run: createRunner((commands) => exchange(commands.map(toLine)), stripShebang, now),
    close,
  });
}

/**
 * The script begins with `#!lua flags=allow-key-locking`. Upstash knows that flag; Redis refuses the script ("Unexpected
 * flag in script shebang"), and Redis 6 knows no such line at all.
 */
function stripShebang({ source }: Script): Script {
  const stripped = source.replace(/^#!.*\n/, '');
  return { source: stripped, sha1: createHash('sha1').update(stripped).digest('hex') };
}

function toLine(command: Command): readonly string[] {
  switch (command.type) {
    case 'eval':
      return ['EVAL', command.source, String(command.keys.length), ...command.keys, ...command.args];
    case 'evalsha':
      return ['EVALSHA', command.sha1, String(command.keys.length), ...command.keys, ...command.args];
    case 'get':
      return ['MGET', ...command.keys];
    case 'set': {
      const { key, value, milliseconds, ifAbsent } = command;
      const expiry = milliseconds === undefined ? [] : ['PX', String(milliseconds)];
      return ['SET', key, value, ...expiry, ...(ifAbsent ? ['NX'] : [])];
    }
  }
}
