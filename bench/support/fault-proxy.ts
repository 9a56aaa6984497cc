import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface FaultProxy {
  readonly port: number;
  /** What was done so far. */
  readonly done: { held: number; lost: number; silent: number };
  /** Whether faults happen now. */
  active: boolean;
  stop(): Promise<void>;
}

/** How often, of all pieces that pass, and for how long at most one is held: milliseconds. */
export interface Faults {
  readonly hold: number;
  readonly longest: number;
  readonly lose: number;
  readonly silence: number;
}

/**
 * A loopback server in front of a database: it holds what clients send, so that a statement arrives late and behind
 * those of other connections; it loses answers, and it falls silent. On one connection nothing overtakes.
 */
export async function startFaultProxy(target: number, faults: Faults): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const proxy = { done: { held: 0, lost: 0, silent: 0 }, active: false };
  const happens = (share: number) => proxy.active && Math.random() < share;

  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    const both = [client, upstream];
    const end = () => {
      for (const socket of both) socket.destroy();
    };
    for (const socket of both) {
      sockets.add(socket);
      socket.on('error', end).on('close', () => sockets.delete(socket));
    }
    let sending: Promise<unknown> = Promise.resolve();
    client.on('data', (piece) => {
      const isHeld = happens(faults.hold);
      if (isHeld) proxy.done.held += 1;
      sending = sending
        .then(() => (isHeld ? sleep(Math.random() * faults.longest) : undefined))
        .then(() => upstream.writable && upstream.write(piece));
    });
    // What a client sent before it went still arrives.
    client.on('end', () => void sending.then(() => upstream.end()));
    client.on('close', () => void sending.then(() => upstream.end()));
    let isSilent = false;
    upstream.on('data', (piece) => {
      isSilent ||= happens(faults.silence);
      if (isSilent) proxy.done.silent += 1;
      else if (happens(faults.lose)) {
        proxy.done.lost += 1;
        end();
      } else if (client.writable) client.write(piece);
    });
    upstream.on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return Object.assign(proxy, {
    port: address.port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  });
}
