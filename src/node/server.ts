import { once } from 'node:events';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { Server as NetServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { App } from '../app.ts';
import type { Config } from '../config.ts';
import type { Bindings } from '../http/context.ts';
import { toResponse } from '../http/refusal.ts';
import { parseNetworks } from '../limits/client-address.ts';
import type { Log } from '../ops/log.ts';
import { clientAddresses } from './client-addresses.ts';
import { answersEarly } from './linger.ts';
import { answerRefusal, faultOf, refuseMalformed } from './refusals.ts';
import { readTls, reloadTls } from './tls.ts';

/**
 * How long a client may take to send a request, in milliseconds; looked at every 5 s. Node's own 60 s and 300 s are
 * for uploads, and let a few slow clients hold many connections.
 */
const patience = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5000,
  // We refuse a request without one ourselves, and say so.
  requireHostHeader: false,
};
/** Longer than proxies keep an idle connection (60 s): else one is closed just as they send the next request on it. */
const keepAliveTimeout = 75_000;
/** How long a kept connection has, while draining, for one more request, whose answer closes it: milliseconds. */
const idleGrace = 1000;
/** How long requests under way may take to end: milliseconds. */
const drain = 15_000;

/**
 * Serves until the returned function is called. Then, for `shutdownDelay`, it goes on while `/readyz` tells whoever
 * distributes requests to leave it out; after that it takes no new connection, and ends when all are answered. Each
 * answer meanwhile asks to close its connection: so no request is sent on one that closes.
 * @param sharing how several processes listen on one port
 * @throws {ConfigError} for a certificate that is not good
 */
export async function listen(
  app: App,
  config: Config,
  log: Log,
  sharing: { readonly reusePort?: boolean; readonly exclusive?: boolean },
): Promise<() => Promise<void>> {
  const addressOf = clientAddresses(parseNetworks(config.trustedProxies), log);
  const background = new Set<Promise<unknown>>();
  const context = {
    waitUntil(promise: Promise<unknown>) {
      const settled = promise.catch(() => undefined).finally(() => background.delete(settled));
      background.add(settled);
    },
    passThroughOnException() {},
    props: {},
  };
  let draining = false;
  const answer = getRequestListener(
    async (request, { incoming, outgoing }) => {
      const bindings: Bindings = { clientAddress: addressOf(incoming), draining };
      const response = await app.fetch(request, bindings, context);
      // What has arrived with the head is often all of it.
      if (!incoming.complete) await turn();
      // Node stops reading a connection whose request nobody reads, and begins again only while the request is open.
      if (!incoming.complete && !incoming.readableDidRead) {
        incoming.resume();
        await turn();
      }
      if (answersEarly(incoming) || draining) outgoing.setHeader('Connection', 'close');
      return response;
    },
    {
      // A request of HTTP/1.0 need not name a host. Nothing is decided by it.
      hostname: 'localhost',
      // Not by cutting the connection half a second later, when a proxy has sent the next request on it.
      autoCleanupIncoming: false,
      errorHandler: (error) =>
        toResponse(
          error instanceof RequestError
            ? app.refuse('bad_request', 'the target is no URL')
            : app.refuse('internal_error', 'not answered by the application'),
        ),
    },
  );
  const { server, stop: stopReloading } = await createServer(config, log);
  refuseMalformed(server, app.refuse);
  server.on('request', (incoming, outgoing) => {
    const fault = faultOf(incoming);
    if (fault !== undefined) return answerRefusal(app.refuse('bad_request', fault), incoming, outgoing);
    // Asks about the server as a whole (RFC 9110 section 9.3.7).
    if (incoming.url === '*') incoming.url = '/';
    return void answer(incoming, outgoing);
  });
  server.listen({ port: config.port, host: config.host, ...sharing });
  await once(server, 'listening');

  return async () => {
    draining = true;
    await sleep(config.shutdownDelay * 1000);
    // Not `server.close()`, which also closes idle connections, on which a proxy may be sending at this very moment.
    await acceptWaiting(server);
    const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
    const timers = [
      setTimeout(() => void turn().then(() => server.closeIdleConnections()), idleGrace),
      setTimeout(() => server.closeAllConnections(), drain),
    ];
    await closed;
    for (const timer of timers) clearTimeout(timer);
    await stopReloading();
    await Promise.all(background);
  };
}

/** All that has arrived until now has been read when this resolves. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Takes what waits to be accepted, one connection in each turn of the event loop: closing would reset it. */
async function acceptWaiting(server: Server): Promise<void> {
  let quiet = 0;
  const onConnection = () => {
    quiet = 0;
  };
  server.on('connection', onConnection);
  for (let turns = 0; quiet < 3 && turns < 1000; turns += 1) {
    quiet += 1;
    await turn();
  }
  server.off('connection', onConnection);
}

async function createServer({ tls }: Config, log: Log): Promise<{ server: Server; stop: () => Promise<void> }> {
  if (tls === undefined) {
    return { server: createHttpServer({ ...patience, keepAliveTimeout }), stop: async () => undefined };
  }
  const first = await readTls(tls);
  // A connection that never comes to speak TLS would hold up the end: nobody but this closes it.
  const handshakeTimeout = patience.headersTimeout;
  const server = createHttpsServer({ ...patience, keepAliveTimeout, handshakeTimeout, ...first });
  return { server, stop: reloadTls(server, tls, first, log) };
}
