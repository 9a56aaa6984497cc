import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SlowProxy {
  readonly port: number;
  /** When clients sent something, by `Date.now()`. */
  readonly sent: readonly number[];
  /** Holds the next answer of each connection for so long, and with it those behind it: milliseconds. */
  holdNext(milliseconds: number): void;
  stop(): Promise<void>;
}

/** A loopback server in front of another one, of which a single answer can be slow. */
export async function startSlowProxy(target: number, onSent: (piece: Buffer) => void = () => {}): Promise<SlowProxy> {
  const sockets = new Set<Socket>();
  const sent: number[] = [];
  let turn = 0;
  let wait = 0;
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true).on('error', end);
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('close', end).on('data', (piece) => {
      sent.push(Date.now());
      onSent(piece);
      upstream.write(piece);
    });
    let answering: Promise<unknown> = Promise.resolve();
    let held = turn;
    upstream.on('close', end).on('data', (piece) => {
      const isHeld = held !== turn;
      held = turn;
      answering = answering
        .then(() => (isHeld ? sleep(wait) : undefined))
        .then(() => client.writable && client.write(piece));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    sent,
    holdNext(milliseconds) {
      wait = milliseconds;
      turn += 1;
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
