import type { IncomingHttpHeaders } from 'node:http';
import { forwardedAddress, type parseNetworks } from '../limits/client-address.ts';
import type { Log } from '../ops/log.ts';

/** What an operator can do about a header that does not tell the client's address. */
const advice = {
  unreadable_hop:
    'A trusted proxy sends an X-Forwarded-For without an address, so its clients share one limit. Correct it in the proxy',
  untrusted_peer:
    'The service ignores X-Forwarded-For or Forwarded from a peer that is not in TRUSTED_PROXIES. If the peer is your proxy, add it',
  other_header: 'A trusted proxy sends Forwarded, which the service does not read. Let it send X-Forwarded-For',
} as const;

/** Of a request, what its client's address follows from. */
interface Incoming {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: IncomingHttpHeaders;
}

/**
 * Tells the address of the client of each request.
 * @param trusted the proxies' networks
 * @param log is warned once of each thing that makes clients share an address
 */
export function clientAddresses(
  trusted: ReturnType<typeof parseNetworks>,
  log: Log,
): (incoming: Incoming) => string | undefined {
  const told = new Set<string>();
  return ({ socket, headers }) => {
    const forwardedFor = headers['x-forwarded-for'];
    const { client, notice } = forwardedAddress(
      socket.remoteAddress,
      { list: Array.isArray(forwardedFor) ? forwardedFor.join() : forwardedFor, other: headers['forwarded'] },
      trusted,
    );
    if (notice !== undefined && !told.has(notice)) {
      told.add(notice);
      log.warn('forwarded_address', { notice, advice: advice[notice] });
    }
    return client;
  };
}
