import type { LookupAddress } from 'node:dns';
import { lookup as resolveName } from 'node:dns/promises';
import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { EventUndelivered } from '../events/sink.ts';
import { isPublicAddress } from '../events/webhook-target.ts';
import { isCertificateCode } from './certificate-code.ts';
import type { Post, PostRequest } from './webhook.ts';

type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/**
 * Posts on Node. A name is resolved once for each connection, and the connection goes to an address that was looked at,
 * so that a name server that says another one the next time (DNS rebinding) gains nothing. `fetch` has no place for that.
 * @param allowPrivate whether private addresses are allowed
 */
export function createNodePost(
  allowPrivate: boolean,
  resolve: Resolve = (hostname) => resolveName(hostname, { all: true }),
): Post {
  const lookup = createLookup(allowPrivate ? () => true : isPublicAddress, resolve);
  // A connection for each event, since a kept one may be closed just when it is used. TLS sessions are resumed. No proxy:
  // that would resolve names by itself.
  const agents = { http: new HttpAgent({ keepAlive: false }), https: new HttpsAgent({ keepAlive: false }) };

  return async ({ url, headers, body, signal }) => {
    const length = { 'content-length': Buffer.byteLength(body) };
    const options = { method: 'POST', headers: { ...headers, ...length }, signal, lookup };
    return await statusOf(
      url.protocol === 'https:'
        ? httpsRequest(url.href, { ...options, agent: agents.https })
        : httpRequest(url.href, { ...options, agent: agents.http }),
      body,
    );
  };
}

function statusOf(request: ClientRequest, body: PostRequest['body']): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request.on('response', (response) => {
    resolve(response.statusCode ?? 0);
    response.on('error', () => undefined);
    // Whoever answers decides how much it is.
    request.destroy();
  });
  request.on('error', (error) => {
    const isTls = 'code' in error && typeof error.code === 'string' && isCertificateCode(error.code);
    reject(isTls ? new EventUndelivered('certificate') : error);
  });
  // Without an answer, as after an upgrade to another protocol.
  request.on('close', () => reject(new EventUndelivered('unreachable')));
  request.end(body);
  return promise;
}

/**
 * Resolves names to addresses that may be connected to. One that may not is enough to refuse the name. The system's
 * resolver takes one of few threads, which hash passwords too: a slow name server shall not have more than one of them.
 */
function createLookup(mayConnect: (address: string) => boolean, resolve: Resolve): LookupFunction {
  const underWay = new Map<string, ReturnType<Resolve>>();

  async function find(hostname: string): Promise<[LookupAddress, ...LookupAddress[]]> {
    const asked = underWay.get(hostname) ?? resolve(hostname).finally(() => underWay.delete(hostname));
    underWay.set(hostname, asked);
    const [first, ...others] = await asked;
    if (first === undefined || ![first, ...others].every(({ address }) => mayConnect(address))) {
      throw new EventUndelivered('private_address');
    }
    return [first, ...others];
  }

  return (hostname, options, callback) => {
    find(hostname).then(
      (addresses) => {
        if (options.all === true) callback(null, addresses);
        else callback(null, addresses[0].address, addresses[0].family);
      },
      (error) => callback(error, []),
    );
  };
}
