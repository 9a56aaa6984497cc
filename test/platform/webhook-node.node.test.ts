// On Node only: there names are resolved here, and connections made here.
import { createServer, type Server } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { EventUndelivered } from '../../src/events/sink.ts';
import type { Post } from '../../src/platform/webhook.ts';
import { createNodePost } from '../../src/platform/webhook-node.ts';
import { createCertificate } from '../support/certificate.ts';

const outcomeOf = (post: Post, url: string, timeout = 5000) =>
  post({ url: new URL(url), headers: {}, body: '{}', signal: AbortSignal.timeout(timeout) }).then(
    (status) => status,
    (error: unknown) => (error instanceof EventUndelivered ? error.code : 'no answer'),
  );

/** A name server that says something else each time it is asked. */
function resolver(...answers: string[][]) {
  const asked: string[] = [];
  const post = createNodePost(false, (hostname, _options, callback) => {
    const addresses = answers[asked.push(hostname) - 1] ?? answers.at(-1) ?? [];
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  });
  return { post, asked };
}

/** Whoever connects to it is counted. */
async function listen(): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined).end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, connections: () => connections };
}

it.each(['localhost', 'LOCALHOST'])('refuses %s, as the machine resolves it', async (name) => {
  const { port, connections } = await listen();
  expect(await outcomeOf(createNodePost(false), `http://${name}:${port}/`)).toBe('private_address');
  expect(connections()).toBe(0);
  expect(await outcomeOf(createNodePost(true), `http://${name}:${port}/`)).toBe(200);
});

it.each([
  ['127.0.0.1'],
  ['10.0.0.1'],
  ['169.254.169.254'],
  ['::1'],
  ['::ffff:127.0.0.1'],
  ['64:ff9b::7f00:1'],
  ['fd00:ec2::254'],
  // One that may be called, and one that may not.
  ['8.8.8.8', '127.0.0.1'],
  ['2606:4700:4700::1111', '::1'],
  [],
])('refuses a name that is resolved to %s %s', async (...addresses) => {
  const { port, connections } = await listen();
  const { post } = resolver(addresses);
  expect(await outcomeOf(post, `http://receiver.example:${port}/`)).toBe('private_address');
  expect(connections()).toBe(0);
});

it('connects to the address that it looked at, whatever the name is resolved to next', async () => {
  const { port, connections } = await listen();
  // Of the network 6bone, which was given back: it counts as public, and leads nowhere.
  const { post, asked } = resolver(['3ffe::1'], ['127.0.0.1']);
  expect(await outcomeOf(post, `http://receiver.example:${port}/`, 500)).toBe('no answer');
  expect(asked).toEqual(['receiver.example']);
  expect(connections()).toBe(0);
  // The next event looks again.
  expect(await outcomeOf(post, `http://receiver.example:${port}/`, 500)).toBe('private_address');
  expect(connections()).toBe(0);
});

it('refuses a certificate that nobody vouches for', async () => {
  const server: Server = createServer(createCertificate(), (_request, response) => void response.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  expect(await outcomeOf(createNodePost(true), `https://localhost:${address.port}/`)).toBe('certificate');
});

it.each([
  ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: a\r\nconnection: upgrade\r\n\r\n'],
  ['headers without end', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(100_000)}`],
  ['nothing but interim answers', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000)],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
])('comes to an end with a receiver that answers with %s', async (_what, answer) => {
  const server = createTcpServer((socket) => void socket.on('error', () => undefined).write(answer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  expect(await outcomeOf(createNodePost(true), `http://127.0.0.1:${address.port}/`, 500)).not.toBe(200);
});
