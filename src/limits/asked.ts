import { base64url } from 'jose';
import type { Deps } from '../deps.ts';

/** How long a browser is known to have asked for a mail: seconds. Longer than the code of a mail is good. */
export const askedTtl = 3600;

const encoder = new TextEncoder();
const shape = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([1-9]\d{0,10})\.([\w-]{42}[AEIMQUYcgkosw048])$/;
/** Apart from what device tokens are made of: one never passes for the other. */
const message = (id: string, expiry: string, emailKey: string) => encoder.encode(`asked.${id}.${expiry}.${emailKey}`);

/**
 * A token that says that a browser has asked for a mail to an address, and nothing of the address:
 * `<id>.<expiry, in seconds>.<HMAC>`. So wrong codes that others try do not use up the tries of the browser that asked.
 */
export async function issueAskedToken(
  { keyring, newId, now }: Pick<Deps, 'keyring' | 'newId' | 'now'>,
  emailKey: string,
): Promise<string> {
  const [id, expiry] = [newId(), String(Math.floor(now() / 1000) + askedTtl)];
  const mac = await crypto.subtle.sign('HMAC', keyring.newest.device, message(id, expiry, emailKey));
  return [id, expiry, base64url.encode(new Uint8Array(mac))].join('.');
}

/** @returns the browser that a token names, or undefined for one that is forged, expired or for another address */
export async function verifyAskedToken(
  { keyring, now }: Pick<Deps, 'keyring' | 'now'>,
  token: string,
  emailKey: string,
): Promise<string | undefined> {
  const [, id, expiry, mac] = shape.exec(token) ?? [];
  if (id === undefined || expiry === undefined || mac === undefined || Number(expiry) * 1000 <= now()) return undefined;
  for (const { device } of keyring.accepted(now())) {
    // WebCrypto compares MACs in constant time.
    if (await crypto.subtle.verify('HMAC', device, base64url.decode(mac), message(id, expiry, emailKey))) return id;
  }
  return undefined;
}
