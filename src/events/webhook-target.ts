import ipaddr from 'ipaddr.js';

/** Names that lead into a network of somebody's own, wherever they are asked for (RFC 6762, RFC 8375, ICANN). */
const innerNames = /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|private|home\.arpa)$/;
/** Azure's metadata service: the one of its kind at an address that otherwise counts as public. */
const publicMetadata = '168.63.129.16';
/** All of IPv6 that is given out to the internet; what is not in it may carry an IPv4 address, or lead anywhere. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an address is one of the public internet: not private, loopback, link-local, shared by a carrier, multicast,
 * reserved or of a metadata service, and none that carries an IPv4 address in it (mapped, NAT64, 6to4, Teredo).
 * @param text as a resolver or `URL.hostname` gives it, without brackets
 */
export function isPublicAddress(text: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return ipaddr.IPv4.parse(text).range() === 'unicast' && text !== publicMetadata;
  }
  if (!ipaddr.IPv6.isValid(text)) return false;
  const address = ipaddr.IPv6.parse(text);
  return address.match(globalUnicast) && address.range() === 'unicast';
}

/**
 * What keeps a webhook from being sent to an address; undefined where nothing does. A name that is resolved to a private
 * address is another matter: see `platform/webhook-node.ts`.
 * @param allowPrivate whether http and private targets are allowed
 */
export function targetProblem(url: URL, allowPrivate: boolean): string | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must be https';
  if (url.username + url.password + url.hash !== '') return 'must hold no user, password or fragment';
  if (allowPrivate) return undefined;
  if (url.protocol !== 'https:') return 'must be https (or set WEBHOOK_ALLOW_PRIVATE)';
  return isPublicHost(url.hostname) ? undefined : 'must not be in a private network (or set WEBHOOK_ALLOW_PRIVATE)';
}

/** @param hostname of a URL, which has read IPv4 in all its spellings (`0x7f.1`, `2130706433`) and lower-case letters */
function isPublicHost(hostname: string): boolean {
  if (hostname.startsWith('[')) return isPublicAddress(hostname.slice(1, -1));
  if (ipaddr.IPv4.isValidFourPartDecimal(hostname)) return isPublicAddress(hostname);
  const name = hostname.replace(/\.$/, '');
  return name.includes('.') && !innerNames.test(name);
}
