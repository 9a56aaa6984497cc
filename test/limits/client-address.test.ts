import { describe, expect, it } from 'vitest';
import {
  countedNetwork,
  forwardedAddress,
  isNetwork,
  parseNetworks,
  truncatedAddress,
} from '../../src/limits/client-address.ts';

describe('the address that counts for limits', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/56'],
    ['2001:db8:1:ff:ffff::1', '2001:db8:1::/56'],
    ['2001:db8:1:100::1', '2001:db8:1:100::/56'],
    ['', 'unknown'],
    ['not an address', 'unknown'],
    ['10', 'unknown'],
    ['010.0.0.1', 'unknown'],
    ['fe80::1%eth0', 'fe80::/56'],
    [undefined, 'unknown'],
  ])('of %s is %s', (address, bucket) => {
    expect(countedNetwork(address)).toBe(bucket);
  });
});

describe('the address that is kept', () => {
  it.each([
    ['192.0.2.7', '192.0.2.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['nonsense', null],
  ])('of %s is %s', (address, kept) => {
    expect(truncatedAddress(address)).toBe(kept);
  });
});

describe('the client behind proxies', () => {
  const trusted = parseNetworks(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32']);

  it.each([
    ['a peer that is no proxy and says nothing', '203.0.113.9', undefined, '203.0.113.9', undefined],
    ['a peer that is no proxy, whatever it says', '203.0.113.9', '198.51.100.1', '203.0.113.9', 'untrusted_peer'],
    ['a proxy without the header', '10.0.0.1', undefined, '10.0.0.1', undefined],
    ['one trusted proxy', '10.0.0.1', '198.51.100.1', '198.51.100.1', undefined],
    ['a forged first address', '10.0.0.1', '1.2.3.4, 198.51.100.1', '198.51.100.1', undefined],
    ['a chain of trusted proxies', '10.0.0.1', '198.51.100.1, 10.9.9.9, 192.0.2.1', '198.51.100.1', undefined],
    ['a chain of nothing but proxies', '10.0.0.1', '10.0.0.2, 10.0.0.3', '10.0.0.2', undefined],
    ['an unreadable hop', '10.0.0.1', '198.51.100.1, unknown', '10.0.0.1', 'unreadable_hop'],
    ['an empty list', '10.0.0.1', '', '10.0.0.1', 'unreadable_hop'],
    ['an IPv4-mapped proxy', '::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1', undefined],
    ['an IPv6 proxy and client', '2001:db8::1', '2a00::1', '2a00::1', undefined],
    ['an IPv4 client with its port', '10.0.0.1', '198.51.100.1:411', '198.51.100.1', undefined],
    ['an IPv6 client in brackets', '10.0.0.1', '[2a00::1]', '2a00::1', undefined],
    ['an IPv6 client with its port', '10.0.0.1', '[2a00::1]:411', '2a00::1', undefined],
    ['a chain with ports', '10.0.0.1', '198.51.100.1:411, 10.9.9.9:5, [2001:db8::2]:80', '198.51.100.1', undefined],
    ['half a bracket', '10.0.0.1', '[2a00::1', '10.0.0.1', 'unreadable_hop'],
    ['a port that is none', '10.0.0.1', '198.51.100.1:http', '10.0.0.1', 'unreadable_hop'],
    ['a hop that only some read as a proxy', '10.0.0.1', '198.51.100.1, 012.0.0.1', '10.0.0.1', 'unreadable_hop'],
    ['no peer', undefined, '198.51.100.1', undefined, undefined],
  ])('of %s is told apart', (_, peer, list, client, notice) => {
    const found = forwardedAddress(peer, { list }, trusted);
    expect([found.client, found.notice]).toEqual([client, notice]);
  });

  it('is never read from Forwarded, which is told of where it is all there is', () => {
    const other = 'for=198.51.100.1';
    expect(forwardedAddress('10.0.0.1', { list: undefined, other }, trusted)).toEqual({
      client: '10.0.0.1',
      notice: 'other_header',
    });
    expect(forwardedAddress('10.0.0.1', { list: '198.51.100.2', other }, trusted)).toEqual({ client: '198.51.100.2' });
    expect(forwardedAddress('203.0.113.9', { list: undefined, other }, trusted).notice).toBe('untrusted_peer');
  });

  it('names a wrong network by its position, not by its value', () => {
    expect(() => parseNetworks(['10.0.0.0/8', 'nonsense'])).toThrow('TRUSTED_PROXIES: entry 2');
    expect(() => parseNetworks(['10.0.0.0/99'])).toThrow('entry 1');
  });

  it('reads a network of IPv4 in IPv6 as the IPv4 network', () => {
    const mapped = parseNetworks(['::ffff:10.0.0.0/104']);
    expect(forwardedAddress('10.9.9.9', { list: '198.51.100.1' }, mapped).client).toBe('198.51.100.1');
    expect(forwardedAddress('11.0.0.1', { list: '198.51.100.1' }, mapped).client).toBe('11.0.0.1');
  });

  it.each([
    ['10.0.0.0/8', true],
    ['192.0.2.1', true],
    ['2001:db8::/32', true],
    ['0.0.0.0/0', false],
    ['::/0', false],
    ['::ffff:0.0.0.0/96', false],
    ['nonsense', false],
  ])('%s tells some addresses from others: %s', (text, told) => {
    expect(isNetwork(text)).toBe(told);
  });
});
