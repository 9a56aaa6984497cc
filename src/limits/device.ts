import { base64url } from 'jose';
import type { Deps } from '../deps.ts';

/** How long a device is known after it last signed in: seconds. */
export const deviceTtl = 180 * 86_400;

/** What an account is signed in to with: each in the form that counts as the same. */
export interface Names {
  readonly emailKey: string | undefined;
  readonly usernameKey: string | undefined;
}

export interface Name {
  readonly kind: 'email' | 'username';
  readonly key: string;
}

const encoder = new TextEncoder();
/** The last letter of 32 bytes in base64url has two spare bits; they are zero, so that a MAC has one spelling. */
const mac = '[\\w-]{42}[AEIMQUYcgkosw048]';
const shape = new RegExp(
  `^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\\.([1-9]\\d{0,10})\\.([\\w-]{16})\\.(${mac}(?:\\.${mac})?)$`,
);

/** What a device was signed in to: another user, and the same one with another password, is another one. */
export interface DeviceOwner {
  readonly id: string;
  readonly passwordHash: string | null;
}

/** A device that a token names. */
export interface Device {
  readonly id: string;
  /** Stands for its owner as that was. Whether it still is shows the row of the account. */
  readonly stamp: string;
}

const message = ({ id, stamp }: Device, expiry: number, { kind, key }: Name) =>
  encoder.encode(`${id}.${expiry}.${stamp}.${kind}.${key}`);

async function stampOf(key: CryptoKey, { id, passwordHash }: DeviceOwner): Promise<string> {
  const bytes = await crypto.subtle.sign('HMAC', key, encoder.encode(`owner.${id}.${passwordHash}`));
  return base64url.encode(new Uint8Array(bytes)).slice(0, 16);
}

/**
 * Whether a device was signed in to this account since its password last became another one. Else its token is as good
 * as none: whoever knew the password before may have collected any number of them.
 */
export async function isOwnDevice(
  { keyring, now }: Pick<Deps, 'keyring' | 'now'>,
  { stamp }: Device,
  owner: DeviceOwner | undefined,
): Promise<boolean> {
  if (owner === undefined) return false;
  const stamps = await Promise.all(keyring.accepted(now()).map(({ device }) => stampOf(device, owner)));
  return stamps.includes(stamp);
}

/**
 * A token that says that a device has signed in to an account: `<device id>.<expiry, in seconds>.<stamp>.<HMAC>`, one
 * HMAC for each name of the account. So it is checked against the name that was typed, before anything is read. It signs
 * nobody in: failures of others do not lock its device out, and that is all.
 * @param owner as it is from now on
 * @param id of the device, where it is known already
 */
export async function issueDeviceToken(
  { keyring, newId, now }: Pick<Deps, 'keyring' | 'newId' | 'now'>,
  { emailKey, usernameKey }: Names,
  owner: DeviceOwner,
  id: string = newId(),
): Promise<string> {
  const expiry = Math.floor(now() / 1000) + deviceTtl;
  const device = { id, stamp: await stampOf(keyring.newest.device, owner) };
  const macOf = async (kind: Name['kind'], key: string | undefined) => {
    if (key === undefined) return [];
    const bytes = await crypto.subtle.sign('HMAC', keyring.newest.device, message(device, expiry, { kind, key }));
    return [base64url.encode(new Uint8Array(bytes))];
  };
  const macs = await Promise.all([macOf('email', emailKey), macOf('username', usernameKey)]);
  return [id, expiry, device.stamp, ...macs.flat()].join('.');
}

/**
 * The device that a token names, where it is good for this name of an account.
 * @returns it, or undefined for a token that is forged, expired, or of another account
 */
export async function verifyDeviceToken(
  { keyring, now }: Pick<Deps, 'keyring' | 'now'>,
  token: string,
  name: Name,
): Promise<Device | undefined> {
  const [, id, expiry, stamp, macs] = shape.exec(token) ?? [];
  if (id === undefined || stamp === undefined || macs === undefined || Number(expiry) * 1000 <= now()) return undefined;
  const named = { id, stamp };
  const expected = message(named, Number(expiry), name);
  for (const shown of macs.split('.').map((text) => base64url.decode(text))) {
    for (const { device } of keyring.accepted(now())) {
      // WebCrypto compares MACs in constant time.
      if (await crypto.subtle.verify('HMAC', device, shown, expected)) return named;
    }
  }
  return undefined;
}
