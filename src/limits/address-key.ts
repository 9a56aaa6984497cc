import { base64url } from 'jose';
import type { Keyring } from '../crypto/derive.ts';
import { countedNetwork } from './client-address.ts';

/** Stands for the network that an address counts by, and tells it to nobody without the root secret. */
export type AddressKey = (address: string | undefined) => Promise<string>;

/** So many networks are remembered, so that one request computes its key once. Each takes some 100 bytes. */
const maxRemembered = 256;
const encoder = new TextEncoder();

/**
 * Makes the keys under which limits and lockouts count an address: HMAC-SHA-256, cut to 128 bits. The store that holds
 * them for a day may be another's, and all IPv4 addresses can be tried against a hash without a key. With a new root
 * secret counting begins anew.
 */
export function createAddressKeys({ newest }: Pick<Keyring, 'newest'>): AddressKey {
  // Texts and no promises: on Workers one request must not wait for another.
  const remembered = new Map<string, string>();
  return async (address) => {
    const network = countedNetwork(address);
    const known = remembered.get(network);
    if (known !== undefined) return known;
    const mac = await crypto.subtle.sign('HMAC', newest.address, encoder.encode(network));
    const key = base64url.encode(new Uint8Array(mac, 0, 16));
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(network, key);
    return key;
  };
}
