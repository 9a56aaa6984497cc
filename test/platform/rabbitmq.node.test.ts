// On Node only: Workers have no connections of their own. What needs a broker is in rabbitmq.broker.ts.
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { EventUndelivered } from '../../src/events/sink.ts';
import { createLog } from '../../src/ops/log.ts';
import { createRabbitmq } from '../../src/platform/rabbitmq.ts';
import { createCertificate } from '../support/certificate.ts';
import { cloudEvent } from '../support/cloud-event.ts';

/** What becomes of an event for a broker that is none. */
async function outcomeWith(answer: (socket: Socket) => void, tls = false): Promise<unknown> {
  const sockets = new Set<Socket>();
  const listener = (socket: Socket) => {
    sockets.add(socket.on('error', () => undefined));
    answer(socket);
  };
  const server = tls ? createTlsServer(createCertificate(), listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `${tls ? 'amqps' : 'amqp'}://localhost:${address.port}`;
  const config = { kind: 'rabbitmq', name: 'rabbitmq', types: undefined, exchange: 'e', mandatory: false } as const;
  const sink = createRabbitmq({ ...config, url }, createLog('silent', Date.now), { connect: 500, confirm: 500 });
  onTestFinished(async () => {
    await sink.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const error = await sink.publish(cloudEvent()).catch((thrown: unknown) => thrown);
  return error instanceof EventUndelivered ? error.code : error;
}

/** A frame that says that it holds 4 GiB. */
const hugeFrame = Buffer.from([1, 0, 0, 0xff, 0xff, 0xff, 0xff]);

it.each<[string, string, (socket: Socket) => void]>([
  ['hangs up', 'connection_lost', (socket) => socket.end()],
  ['resets', 'unreachable', (socket) => socket.resetAndDestroy()],
  ['speaks another protocol', 'connection_lost', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['speaks another version', 'connection_lost', (socket) => socket.end('AMQP\0\0\x09\x01')],
  ['says nothing', 'timeout', () => undefined],
  ['begins what it never ends', 'connection_lost', (socket) => socket.write(hugeFrame)],
  [
    'says a little from time to time',
    'timeout',
    (socket) => {
      // The frame is long enough to go on.
      socket.write(Buffer.from([1, 0, 0, 0, 1, 0, 0]));
      const timer = setInterval(() => socket.write('a'), 50);
      socket.once('close', () => clearInterval(timer));
    },
  ],
])('comes to an end with a broker that %s: %s', async (_what, code, answer) => {
  expect(await outcomeWith(answer)).toBe(code);
});

it('trusts no certificate that nobody vouches for', async () => {
  expect(await outcomeWith(() => undefined, true)).toBe('certificate');
});
