// On Node only: it is about the server there.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRefuse } from '../../src/http/refusal.ts';
import { refuseMalformed } from '../../src/node/refusals.ts';
import { createLog } from '../../src/ops/log.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { serve, tlsVariables } from '../support/node-server.ts';
import { type TestApp, testApp } from '../support/test-app.ts';

interface Heard {
  readonly text: string;
  /** How the connection ended. */
  readonly end: 'closed' | 'reset';
}

/** Sends bytes, and all of `then` after them, and hears what comes until the connection ends. */
const say = (port: number, sent: string, then: readonly Buffer[] = []): Promise<Heard> =>
  talk(connect({ port, host: '127.0.0.1', allowHalfOpen: true }), sent, then);

async function talk(socket: Socket, sent: string, then: readonly Buffer[]): Promise<Heard> {
  let text = '';
  let end: Heard['end'] = 'closed';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {
    end = 'reset';
  });
  socket.once('end', () => socket.end());
  const closed = once(socket, 'close').catch(() => undefined);
  socket.write(sent, 'latin1');
  for (const chunk of then) {
    if (!socket.writable) break;
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
  }
  await closed;
  return { text, end };
}

const last = 'Connection: close\r\n\r\n';
const bodyOf = (text: string) => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);

describe('a request that cannot be read', () => {
  it.each([
    ['dot segments', `GET /auth/verify-token/../../health HTTP/1.1\r\nHost: x\r\n${last}`, 400],
    ['packed dot segments', `GET /a/%2e%2E/b HTTP/1.1\r\nHost: x\r\n${last}`, 400],
    ['bytes that are no text in the path', `GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n${last}`, 400],
    ['a target that is no path', `GET health HTTP/1.1\r\nHost: x\r\n${last}`, 400],
    ['an asterisk and another method than OPTIONS', `GET * HTTP/1.1\r\nHost: x\r\n${last}`, 400],
    ['CONNECT, as to a proxy', 'CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n', 400],
    ['no Host in HTTP/1.1', `GET /health HTTP/1.1\r\n${last}`, 400],
    ['two Hosts', `GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n${last}`, 400],
    ['a Host with a blank', `GET /health HTTP/1.1\r\nHost: a b\r\n${last}`, 400],
    ['half an address as Host', `GET /health HTTP/1.1\r\nHost: [::zz\r\n${last}`, 400],
    ['a Host with a port that is none', `GET /health HTTP/1.1\r\nHost: x:99999\r\n${last}`, 400],
    ['a Host with a path', `GET /auth/verify-token/x HTTP/1.1\r\nHost: x/health?\r\n${last}`, 400],
    ['a Host with a name', `GET /health HTTP/1.1\r\nHost: a@x\r\n${last}`, 400],
    ['an address with a name', `GET http://a@x/health HTTP/1.1\r\nHost: x\r\n${last}`, 400],
    ['an address with a password', `GET http://a:b@x/health HTTP/1.1\r\nHost: x\r\n${last}`, 400],
    ['an address without a host', `GET http:///health HTTP/1.1\r\nHost: x\r\n${last}`, 400],
    ['an address with a backslash', `GET http://x\\y/health HTTP/1.1\r\nHost: x\r\n${last}`, 400],
    ['an address with a port that is none', `GET http://x:99999/health HTTP/1.1\r\nHost: x\r\n${last}`, 400],
    ['an address of another kind', `GET ftp://x/health HTTP/1.1\r\nHost: x\r\n${last}`, 400],
    ['NUL in a header', `GET /health HTTP/1.1\r\nHost: x\r\nUser-Agent: a\0b\r\n${last}`, 400],
    [
      'a chunk without a length',
      `POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
    ],
    ['two lengths', `POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}`, 400],
    ['another expectation', `POST /auth/login HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n${last}`, 417],
    ['a header that is too long', `GET /health HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(40_000)}\r\n${last}`, 431],
    ['a request line that is too long', `GET /${'x'.repeat(40_000)} HTTP/1.1\r\nHost: x\r\n${last}`, 431],
  ])('for %s is answered with a problem', async (_, sent, status) => {
    const { port, app } = await serve();
    const { text, end } = await say(port, sent);
    expect([statusOf(text), end]).toEqual([status, 'closed']);
    expect(text).toMatch(/^Content-Type: application\/problem\+json\r$/im);
    const problem = bodyOf(text);
    expect(problem).toMatchObject({ type: 'about:blank', status, title: expect.any(String), code: expect.any(String) });
    expect(text).toContain(problem.request_id);
    const line = app.logLines.map((each) => JSON.parse(each)).find((each) => each.request_id === problem.request_id);
    expect(line).toMatchObject({ event: 'request', status, reason: expect.any(String) });
  });

  it('behind one that can is the end of the connection, and the first is answered', async () => {
    const { port } = await serve();
    const { text, end } = await say(port, `GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n`);
    expect([text.match(/HTTP\/1\.1 \d+/g), end]).toEqual([['HTTP/1.1 200'], 'closed']);
  });

  it('that does not arrive in time is answered with 408', async () => {
    const server = createServer({ headersTimeout: 100, requestTimeout: 150, connectionsCheckingInterval: 20 });
    const log = createLog('silent', Date.now);
    const { deps } = await testApp();
    refuseMalformed(server, createRefuse({ log }, createMetrics(deps)));
    server.on('request', () => undefined);
    server.listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const port = Number(Object(server.address()).port);
    for (const sent of ['GET / HTTP/1.1\r\nHo', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{']) {
      const { text, end } = await say(port, sent);
      expect([statusOf(text), bodyOf(text).code, end]).toEqual([408, 'request_timeout', 'closed']);
    }
  });
});

it('a health check of HTTP/1.0 need not name a host', async () => {
  const { port } = await serve();
  expect(statusOf((await say(port, 'GET /healthz HTTP/1.0\r\n\r\n')).text)).toBe(200);
});

it.each(['http://x/healthz', 'https://X:443/healthz', 'http://[::1]:80/healthz?a'])(
  'a target may be a whole address: %s',
  async (target) => {
    const { port } = await serve();
    expect(statusOf((await say(port, `GET ${target} HTTP/1.1\r\nHost: x\r\n${last}`)).text)).toBe(200);
  },
);

it.each(['TRACE', 'PROPFIND', 'QUERY'])('%s, which nothing here takes, is answered 405', async (method) => {
  const { port } = await serve();
  expect(statusOf((await say(port, `${method} /healthz HTTP/1.1\r\nHost: x\r\n${last}`)).text)).toBe(405);
});

it('OPTIONS * asks about the server as a whole', async () => {
  const { port } = await serve();
  expect(statusOf((await say(port, `OPTIONS * HTTP/1.1\r\nHost: x\r\n${last}`)).text)).toBe(204);
});

describe('an answer that comes before its request is over', () => {
  const post = (path: string, headers: string) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n`;
  const block = Buffer.alloc(64 * 1024, 'x');
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), block, Buffer.from('\r\n')]);
  const length = (bytes: number) => `Content-Length: ${bytes}\r\n`;
  const many = 64;

  it.each([
    ['413 to an announced length', 413, post('/auth/login', length(many * block.length)), block],
    ['413 to chunks', 413, post('/auth/login', 'Transfer-Encoding: chunked\r\n'), chunk],
    [
      '413 to chunks, where 100 was expected',
      413,
      post('/auth/login', 'Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n'),
      chunk,
    ],
    ['415', 413, post('/auth/login', `Content-Encoding: gzip\r\n${length(many * block.length)}`), block],
    ['401 of a proxy that asks with the body', 413, post('/auth/verify-token', length(many * block.length)), block],
    ['404', 413, post('/nowhere', length(many * block.length)), block],
    ['417', 417, post('/auth/login', `Expect: wonders\r\n${length(many * block.length)}`), block],
    ['400', 400, post('/a/../b', length(many * block.length)), block],
    ['431', 431, post('/auth/login', `A: ${'x'.repeat(40_000)}`), block],
  ])('says that it closes, and reaches a client that is still sending: %s', async (_, status, head, each) => {
    const { port } = await serve();
    const { text, end } = await say(port, head, Array<Buffer>(many).fill(each));
    const answer = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
    expect([statusOf(answer), end]).toEqual([status, 'closed']);
    expect(answer).toMatch(/^Connection: close\r$/im);
    expect(bodyOf(answer).status).toBe(status);
  });

  it('keeps the connection where all of the request has arrived', async () => {
    const { port } = await serve();
    const refused = `${post('/auth/login', length(70_000))}${'x'.repeat(70_000)}`;
    const unread = `${post('/auth/verify-token', length(2))}{}`;
    const socket = connect({ port, host: '127.0.0.1' });
    let text = '';
    socket.setEncoding('latin1').on('data', (data: string) => {
      text += data;
    });
    for (const sent of [unread, unread]) {
      const before = text.length;
      socket.write(sent);
      await expect.poll(() => text.slice(before)).toContain('invalid_token');
      expect(text.slice(before)).toMatch(/^HTTP\/1\.1 401/);
      expect(text.slice(before)).toMatch(/^Connection: keep-alive\r$/im);
    }
    // Whether all of this one has arrived is a matter of luck; what is said of the connection holds.
    const before = text.length;
    socket.write(refused);
    await expect.poll(() => text.slice(before)).toContain('body_too_large');
    if (/^Connection: keep-alive\r$/im.test(text.slice(before))) {
      socket.write(`GET /healthz HTTP/1.1\r\nHost: x\r\n${last}`);
      await once(socket, 'close');
      expect(text).toContain('"status":"ok"');
    } else await once(socket, 'close');
    socket.destroy();
  });
});

it('an early answer reaches a client that is still sending over TLS, too', async () => {
  const { port } = await serve(tlsVariables());
  const block = Buffer.alloc(64 * 1024, 'x');
  const heads = {
    413: `POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: ${64 * block.length}\r\n\r\n`,
    431: `POST /auth/login HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(40_000)}\r\n`,
  };
  for (const [status, head] of Object.entries(heads)) {
    const plain = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const socket = connectTls({ socket: plain, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { text, end } = await talk(socket, head, Array<Buffer>(64).fill(block));
    expect([statusOf(text), end]).toEqual([Number(status), 'closed']);
    expect(bodyOf(text).status).toBe(Number(status));
  }
});

describe('the address of a client', () => {
  const sign = (port: number, forwarded: string) =>
    fetch(`http://127.0.0.1:${port}/healthz`, { headers: { 'X-Forwarded-For': forwarded } });
  const notices = ({ logLines }: TestApp) =>
    logLines
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'forwarded_address')
      .map(({ level, notice }) => [level, notice]);

  it('that a proxy writes so that nobody can read it is warned of once', async () => {
    const { port, app } = await serve({ TRUSTED_PROXIES: '127.0.0.0/8' });
    await sign(port, '203.0.113.11:411');
    await sign(port, '[2001:db8::1]:411');
    expect(notices(app)).toEqual([]);
    for (const _ of [1, 2]) await sign(port, 'unknown');
    expect(notices(app)).toEqual([['warn', 'unreadable_hop']]);
    expect(app.logLines.join()).not.toContain('203.0.113');
  });

  it('that a peer tells who is no trusted proxy is warned of once', async () => {
    const { port, app } = await serve();
    for (const _ of [1, 2]) await sign(port, '203.0.113.11');
    expect(notices(app)).toEqual([['warn', 'untrusted_peer']]);
  });
});
