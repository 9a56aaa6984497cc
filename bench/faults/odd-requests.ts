import { once } from 'node:events';
import { connect } from 'node:net';
import * as z from 'zod';
import { unlimited } from '../support/service.ts';
import { type Kind, startSubject, surround } from '../support/subject.ts';

const last = 'Connection: close\r\n\r\n';
const get = (target: string, headers = 'Host: x\r\n') => `GET ${target} HTTP/1.1\r\n${headers}${last}`;
const post = (path: string, body: string, more = '') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${more}` +
  `Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n${last}${body}`;

/** What is sent as it stands, byte for byte, and what is answered. */
interface Odd {
  readonly what: string;
  readonly sent: string;
  readonly status: number;
  /**
   * What is answered in workerd, where that is something else: by workerd itself, and then no Worker hears of it, or by a
   * Worker to which it did not show what is odd.
   */
  readonly onWorker?: { readonly status: number; readonly isBare: boolean };
}

const byWorkerd = { status: 400, isBare: true };

const requests: readonly Odd[] = [
  { what: 'dot segments', sent: get('/auth/verify-token/../../health'), status: 400 },
  { what: 'packed dot segments', sent: get('/a/%2e%2E/b'), status: 400 },
  { what: 'bytes that are no text in the path', sent: get('/\xff\xfe'), status: 400, onWorker: byWorkerd },
  { what: 'a Host with a blank', sent: get('/health', 'Host: a b\r\n'), status: 400 },
  { what: 'half an address as Host', sent: get('/health', 'Host: [::zz\r\n'), status: 400 },
  { what: 'a Host with a port that is none', sent: get('/health', 'Host: x:99999\r\n'), status: 400 },
  { what: 'no Host', sent: get('/health', ''), status: 400, onWorker: byWorkerd },
  { what: 'a target that is no path', sent: get('health'), status: 400, onWorker: { status: 200, isBare: true } },
  { what: 'OPTIONS *', sent: `OPTIONS * HTTP/1.1\r\nHost: x\r\n${last}`, status: 204 },
  {
    what: 'another expectation',
    sent: post('/auth/login', '{}', 'Expect: wonders\r\n'),
    status: 417,
    onWorker: { status: 422, isBare: false },
  },
  {
    what: 'a header that is too long',
    sent: get('/health', `Host: x\r\nA: ${'x'.repeat(40_000)}\r\n`),
    status: 431,
    onWorker: { status: 200, isBare: true },
  },
  {
    what: 'NUL in a header',
    sent: get('/health', 'Host: x\r\nUser-Agent: a\0b\r\n'),
    status: 400,
    onWorker: byWorkerd,
  },
  { what: 'NUL in a query', sent: get('/auth/verify-token?a=%00'), status: 401 },
  { what: 'NUL in a path', sent: get('/nowhere/%00'), status: 404 },
  { what: 'NUL in a body', sent: post('/auth/login', '{"identifier":"a\\u0000","password":"b"}'), status: 422 },
  {
    what: 'half a character in a body',
    sent: post('/auth/login', '{"identifier":"\xff","password":"b"}'),
    status: 400,
  },
  {
    what: 'half a surrogate in a body',
    sent: post('/auth/login', '{"identifier":"a\\ud800","password":"b"}'),
    status: 401,
  },
];

const problem = z.object({ status: z.number(), code: z.string(), request_id: z.string() });

/** Sends bytes to a service. @returns its status, and the problem it tells; undefined where it tells none */
async function say(base: string, sent: string) {
  const socket = connect({ port: Number(new URL(base).port), host: '127.0.0.1' });
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  socket.setTimeout(10_000, () => socket.destroy());
  const closed = once(socket, 'close').catch(() => undefined);
  socket.write(sent, 'latin1');
  await closed;
  const isProblem = /^Content-Type: application\/problem\+json\r$/im.test(text);
  const told = isProblem ? problem.safeParse(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))).data : undefined;
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), told };
}

/**
 * Requests that cannot be read, and strings that no database takes, over a connection of their own: each is answered as
 * it should be, with a problem, and none with 5xx or with nothing.
 * @returns what is wrong
 */
export async function oddRequests(kind: Kind): Promise<string[]> {
  const surroundings = await surround(kind);
  const service = await startSubject(kind, { ...unlimited, ...surroundings.variables });
  const wrong: string[] = [];
  try {
    for (const { what, sent, status, onWorker } of requests) {
      const wanted = (kind === 'Worker' ? onWorker : undefined) ?? { status, isBare: status < 400 };
      const { status: answered, told } = await say(service.base, sent);
      const isAsWanted = answered === wanted.status && (wanted.isBare || told?.status === answered);
      if (!isAsWanted) wrong.push(`${what}: ${answered}${told === undefined ? ' without a problem' : ''}`);
    }
    console.log(
      `odd requests, ${kind}: ${requests.length} sent, ${requests.length - wrong.length} answered as they should`,
    );
  } finally {
    await service.stop();
    await surroundings.remove();
  }
  return wrong;
}
