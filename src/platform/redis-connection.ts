import { createClient, DisconnectsClientError, ErrorReply as RedisError } from 'redis';
import { KeyValueUnavailable } from '../kv.ts';
import { startPatience } from './patience.ts';
import { ErrorReply } from './redis-commands.ts';

export interface RedisOptions {
  /** `redis[s]://[[user]:password@]host[:port][/database]` */
  readonly url: string;
  /** How long Redis may leave a connection or a command unanswered before the connection is given up, in milliseconds. */
  readonly timeout?: number;
}

/** One connection to Redis, which any number of callers may use at once. */
export interface RedisConnection {
  /**
   * Sends commands in one write and gives the reply to each, errors that Redis answered included.
   * @throws {KeyValueUnavailable} where no reply came
   */
  exchange(lines: readonly (readonly string[])[]): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

export function createRedisConnection({ url, timeout = 1000 }: RedisOptions): RedisConnection {
  const connection = createConnection(url, timeout);
  return {
    async exchange(lines) {
      const client = await connection.open();
      // TCP alone takes a quarter of an hour to notice that a host has vanished.
      const stop = startPatience(timeout, () => client.destroy());
      try {
        return await Promise.all(lines.map((line) => client.sendCommand([...line]).catch(toReply)));
      } finally {
        stop();
      }
    },
    close: connection.close,
  };
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
    const stop = startPatience(timeout, () => {
      timedOut = true;
      fresh.destroy();
    });
    const failure = await fresh.connect().then(() => undefined, codeOf);
    stop();
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
