import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** `::ffff:192.0.2.1` is the IPv4 address it carries. IPv4 in other spellings (`10`, `010.0.0.1`, `0x7f.1`) is none. */
const parse = (text: string): Address | undefined =>
  ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text) ? ipaddr.process(text) : undefined;

/**
 * The network that an address counts by for limits: IPv4 as it is, IPv6 by its /56. Most homes have one /56 (RFC 6177),
 * and whoever has a /48 counts as 256 and not as 65,536. Phones that get a /64 each share with at most 255 others.
 * @param address as the platform tells it; an unreadable one counts with all others of its kind
 */
export function countedNetwork(address: string | undefined): string {
  return truncate(address, 32, 56) ?? 'unknown';
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

/** What proxies say of the client. */
interface Forwarded {
  /** `X-Forwarded-For`. */
  readonly list: string | undefined;
  /** `Forwarded` (RFC 7239), which is not read: who writes the one often passes on the other as the client sent it. */
  readonly other?: string | undefined;
}

interface Client {
  readonly client: string | undefined;
  /** Why it may not be the client that was meant. */
  readonly notice?: 'unreadable_hop' | 'untrusted_peer' | 'other_header';
}

/** A hop as proxies write it: an address, in brackets or not, with its port or without. */
function readHop(hop: string): string | undefined {
  const [, bracketed, plain = hop] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(hop) ?? [];
  const address = bracketed ?? plain;
  return parse(address) === undefined ? undefined : address;
}

/**
 * The client of a request that came over a socket: the peer itself, or, where the peer is a trusted proxy, the last
 * address of `X-Forwarded-For` that no trusted proxy added. What stands left of it, the client may have made up.
 * @param trusted the proxies' networks
 */
export function forwardedAddress(
  peer: string | undefined,
  { list, other }: Forwarded,
  trusted: readonly (readonly [Address, number])[],
): Client {
  const isTrusted = (text: string) => {
    const address = parse(text);
    return address !== undefined && trusted.some(([network, bits]) => matches(address, network, bits));
  };
  if (peer === undefined) return { client: peer };
  if (!isTrusted(peer)) {
    return (list ?? other) === undefined ? { client: peer } : { client: peer, notice: 'untrusted_peer' };
  }
  if (list === undefined) return other === undefined ? { client: peer } : { client: peer, notice: 'other_header' };
  let client = peer;
  const hops = list.split(',').map((hop) => hop.trim());
  while (isTrusted(client)) {
    const hop = hops.pop();
    if (hop === undefined) break;
    const address = readHop(hop);
    // An unreadable hop is not an address: the proxy that passed it on is the last one known.
    if (address === undefined) return { client, notice: 'unreadable_hop' };
    client = address;
  }
  return { client };
}

function matches(address: Address, network: Address, bits: number): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}
