import { createHash } from 'node:crypto';
import { createClient, DisconnectsClientError, ErrorReply as RedisError } from 'redis';
import { defineKeyValue, type KeyValue, KeyValueUnavailable } from '../kv.ts';
import { type Command, createRunner, ErrorReply } from './redis-commands.ts';
import type { Script } from './redis-scripts.ts';

interface RedisOptions {
  /** `redis[s]://[[user]:password@]host[:port][/database]` */
  readonly url: string;
  /** How long Redis may leave a connection or a command unanswered before the connection is given up, in milliseconds. */
  readonly timeout?: number;
}

/**
 * Redis over TCP. The client gathers the commands of one `run` (and of all runs of one turn of the event loop) into one
 * write. Connects when first asked; a lost connection is opened again by the first run that needs it.
 */
export function createRedisKeyValue({ url, timeout = 1000 }: RedisOptions): KeyValue {
  const connection = createConnection(url, timeout);

  async function exchange(lines: readonly (readonly string[])[]): Promise<readonly unknown[]> {
    const client = await connection.open();
    // TCP alone takes a quarter of an hour to notice that a host has vanished.
    const stalled = setTimeout(() => client.destroy(), timeout);
    try {
      return await Promise.all(lines.map((line) => client.sendCommand([...line]).catch(toReply)));
    } finally {
      clearTimeout(stalled);
    }
  }

  return defineKeyValue({
    kind: 'redis',
    run: createRunner((commands) => exchange(commands.map(toLine)), stripShebang),
    async ping() {
      const [reply] = await exchange([['PING']]);
      if (reply instanceof ErrorReply) throw new KeyValueUnavailable(reply.code);
    },
    close: connection.close,
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

/** An error that Redis answered is the reply to that command; every other one means that no reply came. */
function toReply(error: unknown): ErrorReply {
  if (error instanceof RedisError) return new ErrorReply(error.message);
  throw new KeyValueUnavailable(codeOf(error));
}

/** The client's messages name hosts and quote commands: only what kind of failure it was goes on. */
function codeOf(error: unknown): string {
  if (error instanceof RedisError) return new ErrorReply(error.message).code;
  // Only a connection that went silent is destroyed while a command waits.
  return error instanceof DisconnectsClientError ? 'timeout' : 'unreachable';
}

/** Waits between attempts to connect, in milliseconds. */
const shortestWait = 50;
const longestWait = 1000;

/** One connection, opened when asked for. Nothing runs in the background, so an idle process holds no timer. */
function createConnection(url: string, timeout: number) {
  const createSocket = clientFactory(url, timeout);
  let client: ReturnType<typeof createSocket> | undefined;
  let connecting: Promise<ReturnType<typeof createSocket>> | undefined;
  let closed = false;
  let wait = 0;
  let retryAt = 0;

  async function connect() {
    // The package keeps a record of every client until it is destroyed.
    client?.destroy();
    const fresh = createSocket();
    // Without a listener an 'error' event ends the process. Whatever it tells also rejects the command that waits.
    fresh.on('error', () => {});
    let timedOut = false;
    // A server may accept a connection and then never answer AUTH.
    const stalled = setTimeout(() => {
      timedOut = true;
      fresh.destroy();
    }, timeout);
    const failure = await fresh.connect().then(() => undefined, codeOf);
    clearTimeout(stalled);
    // The client may connect to the end even when it was destroyed on the way.
    const code = closed ? 'closed' : timedOut ? 'timeout' : failure;
    if (code === undefined) {
      wait = 0;
      client = fresh;
      return fresh;
    }
    fresh.destroy();
    wait = Math.min(longestWait, wait * 2 || shortestWait);
    retryAt = performance.now() + wait;
    throw new KeyValueUnavailable(code);
  }

  return {
    /** The open connection. Rejects at once while a failed attempt is too recent for another. */
    async open() {
      if (closed) throw new KeyValueUnavailable('closed');
      if (client?.isReady === true) return client;
      if (connecting === undefined && performance.now() < retryAt) throw new KeyValueUnavailable('unreachable');
      connecting ??= connect().finally(() => {
        connecting = undefined;
      });
      return connecting;
    },
    /** Waits for the commands on their way. */
    async close(): Promise<void> {
      closed = true;
      if (client?.isOpen === true) await client.close();
    },
  };
}

/** Checks the address once, so that a wrong one is known at start. The client's own errors quote it. */
function clientFactory(url: string, timeout: number) {
  const create = () =>
    createClient({
      url,
      RESP: 2,
      // Neither greetings nor maintenance subscriptions: a connection is usable the moment it is there.
      disableClientInfo: true,
      maintNotifications: 'disabled',
      disableOfflineQueue: true,
      // The client would arm one timer for each command.
      commandOptions: { timeout: 0 },
      socket: { connectTimeout: timeout, reconnectStrategy: false },
    });
  try {
    create().destroy();
  } catch {
    throw new TypeError('The Redis address is not a redis:// or rediss:// URL');
  }
  return create;
}
