import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ProblemCode } from '../errors.ts';
import type { Refusal, Refuse } from '../http/refusal.ts';
import { authorityOf, hasDotSegments, isHost } from '../http/target.ts';
import { answersEarly, closeGently } from './linger.ts';

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '');

/** What the HTTP parser cannot read. Others are of TLS or of the connection, and nobody is there to read an answer. */
function problemOf(code: string): ProblemCode | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 'body_too_large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  return code.startsWith('HPE_') ? 'bad_request' : undefined;
}

/** An answer as it goes over the wire, where there is no response object to write it. */
function write({ status, headers, body }: Refusal): string {
  const lines = Object.entries({ ...headers, Connection: 'close', 'Content-Length': Buffer.byteLength(body) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`;
}

/** What is wrong with a request that the parser takes, and that must not reach a route. */
export function faultOf({ url = '', method, httpVersion, rawHeaders, headers }: IncomingMessage): string | undefined {
  if (hasDotSegments(url)) return 'dot segments in the path';
  if (!/^\/|^https?:\/\//i.test(url) && !(url === '*' && method === 'OPTIONS')) return 'the target is no path';
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  // Health checks of HTTP/1.0 name none (RFC 9112 section 3.2).
  if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0')) return 'not one Host';
  return isHost(headers.host ?? 'x') && isHost(authorityOf(url) ?? 'x') ? undefined : 'the Host is no host';
}

/** Answers what the parser has taken and the application must not see. */
export function answerRefusal(
  { status, headers, body }: Refusal,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  if (answersEarly(incoming)) outgoing.setHeader('Connection', 'close');
  outgoing.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

/**
 * A client may reset its connection at any moment. Node takes its own listener off a connection that it hands over, and
 * an error that nobody listens for ends the process: so each has one for as long as it lives.
 */
const outliveResets = (socket: Duplex) => void socket.on('error', () => undefined);

/** Answers with problems what the server itself would answer with nothing, and lets every client read them. */
export function refuseMalformed(server: Server, refuse: Refuse): void {
  /** The request that is being answered on a connection. */
  const current = new WeakMap<object, { incoming: IncomingMessage; outgoing: ServerResponse }>();
  for (const event of ['connection', 'secureConnection']) server.on(event, outliveResets);
  server.prependListener('request', (incoming, outgoing) => {
    current.set(incoming.socket, { incoming, outgoing });
    outgoing.once('finish', () => {
      if (current.get(incoming.socket)?.outgoing === outgoing) current.delete(incoming.socket);
    });
  });

  server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    answerRefusal(refuse('expectation_failed', 'an expectation other than 100-continue'), incoming, outgoing);
  });

  // Without a listener for `upgrade`, such a request is one like any other.
  server.on('connect', (_, socket: Socket) => {
    // No more than this can follow a request whose answer is due: nobody asks so, and Node keeps no time for it any more.
    if (current.has(socket)) socket.destroy();
    else closeGently(socket, write(refuse('bad_request', 'CONNECT')));
  });

  server.on('clientError', (error: Error, socket: Socket) => {
    const problem = problemOf(codeOf(error));
    const answering = current.get(socket);
    if (problem === undefined || !socket.writable || answering?.outgoing.headersSent === true) {
      socket.destroy();
    } else if (answering?.incoming.complete === true) {
      // What cannot be read came after a request whose answer is still due: that one is the last.
      answering.outgoing.setHeader('Connection', 'close');
      socket.destroySoon = () => closeGently(socket);
    } else closeGently(socket, write(refuse(problem, codeOf(error))));
  });
}
