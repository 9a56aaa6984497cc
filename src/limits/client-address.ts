import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** `::ffff:192.0.2.1` is the IPv4 address it carries. IPv4 in other spellings (`10`, `010.0.0.1`, `0x7f.1`) is none. */
const parse = (text: string): Address | undefined =>
  ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text) ? ipaddr.process(text) : undefined;

/**
 * The address that counts for limits: IPv4 as it is, IPv6 by its /64, since one customer has at least that many.
 * @param address as the platform tells it; an unreadable one counts as one bucket with all others of its kind
 */
export function addressBucket(address: string | undefined): string {
  return truncate(address, 32, 64) ?? 'unknown';
}

/** The address as it is kept and shown: /24 for IPv4, /48 for IPv6. */
export function truncatedAddress(address: string | undefined): string | null {
  return truncate(address, 24, 48) ?? null;
}

function truncate(address: string | undefined, v4Bits: number, v6Bits: number): string | undefined {
  const parsed = parse(address ?? '');
  if (parsed === undefined) return undefined;
  const bits = parsed.kind() === 'ipv4' ? v4Bits : v6Bits;
  const network =
    parsed.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(`${parsed.toString()}/${bits}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${bits}`);
  return bits === 32 ? network.toString() : `${network.toString()}/${bits}`;
}

/** Whether a request comes from the machine itself. */
export const isLoopbackAddress = (address: string | undefined): boolean => parse(address ?? '')?.range() === 'loopback';

/** Reads CIDRs or single addresses. @throws {Error} naming the wrong one by its position */
export function parseNetworks(cidrs: readonly string[]): (readonly [Address, number])[] {
  return cidrs.map((cidr, position) => {
    const address = parse(cidr);
    if (address !== undefined) return [address, address.kind() === 'ipv4' ? 32 : 128] as const;
    const network = parseCidr(cidr);
    if (network === undefined) throw new Error(`TRUSTED_PROXIES: entry ${position + 1} is not an address or CIDR`);
    return network;
  });
}

function parseCidr(cidr: string): readonly [Address, number] | undefined {
  const address = parse(cidr.split('/')[0] ?? '');
  if (address === undefined || !ipaddr.isValidCIDR(cidr)) return undefined;
  const [network, bits] = ipaddr.parseCIDR(cidr);
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8. With fewer than 96 bits it holds more than IPv4.
  if (network.kind() === address.kind()) return [network, bits];
  return bits >= 96 ? [address, bits - 96] : undefined;
}

/** Whether this is an address or CIDR that tells some addresses from others. */
export function isNetwork(text: string): boolean {
  const bits = parse(text) === undefined ? parseCidr(text)?.[1] : 32;
  return bits !== undefined && bits > 0;
}

/**
 * The client of a request that came over a socket: the peer itself, or, where the peer is a trusted proxy, the last
 * address of `X-Forwarded-For` that no trusted proxy added. What stands left of it, the client may have made up.
 * @param trusted the proxies' networks
 */
export function forwardedAddress(
  peer: string | undefined,
  forwardedFor: string | null | undefined,
  trusted: readonly (readonly [Address, number])[],
): string | undefined {
  const isTrusted = (text: string) => {
    const address = parse(text);
    return address !== undefined && trusted.some(([network, bits]) => matches(address, network, bits));
  };
  let client = peer;
  const hops = (forwardedFor ?? '').split(',').map((hop) => hop.trim());
  while (client !== undefined && isTrusted(client)) {
    const hop = hops.pop();
    // An unreadable hop is not an address: the proxy that passed it on is the last one known.
    if (hop === undefined || parse(hop) === undefined) break;
    client = hop;
  }
  return client;
}

function matches(address: Address, network: Address, bits: number): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}
