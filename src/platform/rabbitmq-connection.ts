import { Duplex } from 'node:stream';
import { type ChannelModel, type ConfirmChannel, connect, credentials } from 'amqplib';
import { EventUndelivered } from '../events/sink.ts';

/** Seconds between heartbeats: a host that vanished is noticed within three of them. The URL may say otherwise. */
const heartbeat = '10';
/** How long the broker may take to say goodbye: milliseconds. */
const farewell = 1000;

/** A connection with the one channel that events go through. Once it is closed it stays so. */
export interface RabbitmqConnection {
  readonly channel: ConfirmChannel;
  /** `blocked` while the broker takes nothing, since it is out of memory or disk. */
  state(): 'open' | 'blocked' | 'closed';
  /** Why it is closed, as a code. */
  reason(): string;
  /** Ends it without a word to the broker: what waits for a confirm fails at once. */
  destroy(): void;
  close(): Promise<void>;
}

/**
 * Connects, opens a channel with publisher confirms and declares the exchange: durable, of type topic.
 * @param timeout for the handshake, and again for the rest: milliseconds
 * @throws {EventUndelivered}
 */
export async function openRabbitmq(url: string, exchange: string, timeout: number): Promise<RabbitmqConnection> {
  const model = await dial(url, timeout);
  let state: ReturnType<RabbitmqConnection['state']> = 'open';
  let reason = 'connection_lost';
  // Without listeners an 'error' event ends the process. Whatever it tells also rejects what waits.
  const note = (error: unknown) => {
    reason = codeOf(error);
  };
  const end = () => {
    state = 'closed';
  };
  model.on('error', note).on('close', end);
  model.on('blocked', () => {
    if (state === 'open') state = 'blocked';
  });
  model.on('unblocked', () => {
    if (state === 'blocked') state = 'open';
  });
  const destroy = () => cut(model);
  const stalled = setTimeout(destroy, timeout);
  try {
    const channel = await model.createConfirmChannel();
    channel.on('error', note).on('close', end);
    await channel.assertExchange(exchange, 'topic', { durable: true });
    return { channel, state: () => state, reason: () => reason, destroy, close: () => part(model) };
  } catch (error) {
    destroy();
    throw new EventUndelivered(codeOf(error));
  } finally {
    clearTimeout(stalled);
  }
}

async function dial(url: string, timeout: number): Promise<ChannelModel> {
  const target = new URL(url);
  if (!target.searchParams.has('heartbeat')) target.searchParams.set('heartbeat', heartbeat);
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  try {
    const connecting = connect(target.href, {
      timeout,
      noDelay: true,
      clientProperties: { connection_name: 'edge-auth' },
      // The client itself would read `%C3%BC` as two characters.
      ...(target.username + target.password === '' ? {} : { credentials: credentialsOf(target) }),
    });
    // The client's own timeout begins anew with each byte.
    timer = setTimeout(() => {
      reject(new EventUndelivered('timeout'));
      connecting.then(cut, () => undefined);
    }, timeout);
    return await Promise.race([connecting, tooLate]);
  } catch (error) {
    throw new EventUndelivered(codeOf(error));
  } finally {
    clearTimeout(timer);
  }
}

const credentialsOf = ({ username, password }: URL) =>
  credentials.plain(decodeURIComponent(username), decodeURIComponent(password));

/** The client has no way to drop a connection: it would wait for an answer of a host that may have vanished. */
function cut({ connection }: ChannelModel): void {
  if ('stream' in connection && connection.stream instanceof Duplex) connection.stream.destroy(new Error('cut'));
}

async function part(model: ChannelModel): Promise<void> {
  const timer = setTimeout(() => cut(model), farewell);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  model.once('close', resolve);
  model.close().catch(() => resolve());
  await closed;
  clearTimeout(timer);
}

/** Messages quote names of hosts, users and exchanges: only what kind of failure it was goes on. */
function codeOf(error: unknown): string {
  if (error instanceof EventUndelivered) return error.code;
  if (!(error instanceof Error)) return 'connection_lost';
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'number') return `amqp_${code}`;
  const refused = /terminated by server: (\d{3})/.exec(error.message)?.[1];
  if (refused !== undefined) return `amqp_${refused}`;
  if (error.message === 'connect ETIMEDOUT') return 'timeout';
  return typeof code === 'string' ? 'unreachable' : 'connection_lost';
}
