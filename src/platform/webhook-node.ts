import { type LookupAddress, type LookupAllOptions, lookup as resolveName } from 'node:dns';
import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { EventUndelivered } from '../events/sink.ts';
import { isPublicAddress } from '../events/webhook-target.ts';
import type { Post, PostRequest } from './webhook.ts';

type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Those of a receiver whose certificate is not to be trusted. */
const tlsCodes = /CERT|SIGNATURE|SSL|TLS|ALTNAME/;

/**
 * Posts on Node. A name is resolved once for each connection, and the connection goes to an address that was looked at,
 * so that a name server that says another one the next time (DNS rebinding) gains nothing. `fetch` has no place for that.
 * @param allowPrivate whether private addresses are allowed
 */
export function createNodePost(allowPrivate: boolean, resolve: Resolve = resolveName): Post {
  const lookup = allowPrivate ? {} : { lookup: publicOnly(resolve) };
  // A connection for each event, since a kept one may be closed just when it is used. TLS sessions are resumed. No proxy:
  // that would resolve names by itself.
  const agents = { http: new HttpAgent({ keepAlive: false }), https: new HttpsAgent({ keepAlive: false }) };

  return async ({ url, headers, body, signal }) => {
    const options = { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) }, signal };
    return await statusOf(
      url.protocol === 'https:'
        ? httpsRequest(url.href, { ...options, ...lookup, agent: agents.https })
        : httpRequest(url.href, { ...options, ...lookup, agent: agents.http }),
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
    const isTls = 'code' in error && typeof error.code === 'string' && tlsCodes.test(error.code);
    reject(isTls ? new EventUndelivered('certificate') : error);
  });
  // Without an answer, as after an upgrade to another protocol.
  request.on('close', () => reject(new EventUndelivered('unreachable')));
  request.end(body);
  return promise;
}

/** Resolves names to public addresses. One private address among them is enough to refuse the name. */
function publicOnly(resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
        return callback(new EventUndelivered('private_address'), []);
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
