import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const head = (method: string, target: string, headers = '') =>
  `${method} ${target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
const login = (headers: string) => head('POST', '/auth/login', `Content-Type: application/json\r\n${headers}`);

interface Sent {
  readonly bytes: string;
  /** What the server does not answer, since more has to come. */
  readonly isPartial?: true;
}

/** What a client may have sent when it resets its connection: one of each way in which the server answers or reads. */
const allSent: readonly Sent[] = [
  { bytes: '', isPartial: true },
  { bytes: 'GET / HTTP/1.1\r\nHo', isPartial: true },
  { bytes: head('GET', '/healthz') },
  { bytes: head('CONNECT', 'a:1') },
  { bytes: `${head('CONNECT', 'a:1')}${'x'.repeat(100_000)}` },
  { bytes: `${head('GET', '/readyz')}${head('CONNECT', 'a:1')}` },
  { bytes: head('GET', '/healthz', 'Connection: Upgrade\r\nUpgrade: websocket\r\n') },
  {
    bytes: head(
      'GET',
      '/healthz',
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n',
    ),
  },
  { bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  { bytes: 'nonsense\r\n\r\n' },
  { bytes: `${head('GET', '/healthz')}nonsense\r\n\r\n` },
  { bytes: head('GET', '/a/../b') },
  { bytes: head('GET', '/healthz', `A: ${'x'.repeat(40_000)}\r\n`) },
  { bytes: login('Content-Length: 100000\r\n') },
  { bytes: `${login('Transfer-Encoding: chunked\r\n')}5\r\nab`, isPartial: true },
  { bytes: `${login('Transfer-Encoding: chunked\r\n')}zz\r\n` },
  { bytes: login('Expect: 100-continue\r\nContent-Length: 100000\r\n') },
  { bytes: login('Expect: wonders\r\nContent-Length: 100000\r\n') },
];

/** Resolves once the connection is gone. What the system says of it is no matter. */
async function reset(socket: Socket): Promise<void> {
  if (socket.destroyed) return;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.resetAndDestroy();
  await closed;
}

/** Waits for what the server says to it, or for its end. */
const heard = (socket: Socket) =>
  Promise.race(['data', 'close'].map((event) => new Promise((resolve) => socket.once(event, resolve))));

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends each of them and resets the connection: at once, and again once the server has answered. */
export async function resetEverywhere(port: number, isSecure: boolean): Promise<void> {
  if (isSecure) {
    // In the middle of a handshake, and instead of one.
    for (const bytes of ['', '\x16\x03\x01\x02\x00\x01\x00', 'GET / HTTP/1.1\r\n\r\n']) {
      const socket = await open(port);
      if (bytes !== '') await new Promise((resolve) => socket.write(bytes, 'latin1', resolve));
      await reset(socket);
    }
  }
  for (const isAnswered of [false, true]) {
    for (const { bytes, isPartial = false } of allSent) {
      const plain = await open(port);
      const socket = isSecure ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain;
      socket.on('error', () => undefined);
      if (isSecure) await once(socket, 'secureConnect');
      const answer = heard(socket);
      if (bytes !== '') await new Promise((resolve) => socket.write(bytes, 'latin1', resolve));
      if (isAnswered && !isPartial) await answer;
      await reset(plain);
    }
  }
}
