import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** How many pieces clients have sent: what was written at once arrives as one. */
  sent(): number;
  /** Stops passing anything on over the connections open now, and leaves them open. */
  freeze(): void;
  stop(): Promise<void>;
}

/**
 * A loopback server in front of another, to count what passes and to break it.
 * @param target the port where connections go; none is a black hole that accepts them and never answers
 */
export async function startTcpProxy(target?: number, host = '127.0.0.1'): Promise<TcpProxy> {
  const pairs = new Set<{ client: Socket; upstream: Socket | undefined }>();
  let sent = 0;
  const server = createServer((client) => {
    const upstream = target === undefined ? undefined : connect(target, host);
    pairs.add({ client, upstream });
    client.on('data', () => {
      sent += 1;
    });
    for (const socket of [client, upstream]) socket?.on('error', () => {});
    if (upstream === undefined) return;
    client.pipe(upstream).pipe(client);
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    sent: () => sent,
    freeze() {
      for (const { client, upstream } of pairs) {
        client.unpipe();
        upstream?.unpipe();
      }
    },
    async stop() {
      for (const { client, upstream } of pairs) {
        client.destroy();
        upstream?.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
