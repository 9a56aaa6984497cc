import { base64url } from 'jose';

/** The keys that derive from one root secret, each for one purpose only. None can be exported. */
export interface RootKeys {
  /** Names the secret without telling it: stored beside what the keys made. */
  readonly id: string;
  /** AES-256-GCM */
  readonly seal: CryptoKey;
  /** HMAC-SHA-256, as all below */
  readonly blindIndex: CryptoKey;
  readonly refreshToken: CryptoKey;
  readonly pepper: CryptoKey;
  readonly oneTimeCode: CryptoKey;
  readonly device: CryptoKey;
  readonly address: CryptoKey;
}

export interface Keyring {
  /** Makes everything new. */
  readonly newest: RootKeys;
  /** Newest first. An older secret opens what it sealed and finds what it indexed. Ask `accepted` before you trust a MAC. */
  readonly all: readonly [RootKeys, ...RootKeys[]];
  /**
   * The keys whose MACs count at a time (milliseconds): refresh tokens, device tokens, one-time codes. An older secret
   * may have leaked, so its MACs count until the date that was set for it, and without a date not at all.
   */
  accepted(now: number): readonly RootKeys[];
}

const encoder = new TextEncoder();
const salt = encoder.encode('edge-auth');
const hmac = { name: 'HMAC', hash: 'SHA-256', length: 256 };

/**
 * Derives every key of the service from its root secrets with HKDF-SHA-256 (RFC 5869), one `info` for each purpose.
 * @param secrets newest first; each with at least 256 bits of entropy
 * @param olderAcceptedUntil until when MACs of the older ones count: milliseconds; undefined for not at all
 */
export async function createKeyring(
  secrets: readonly string[],
  olderAcceptedUntil: number = Number.NEGATIVE_INFINITY,
): Promise<Keyring> {
  const [newest, ...older] = await Promise.all(secrets.map(deriveRootKeys));
  if (newest === undefined) throw new Error('A keyring needs at least one secret');
  const all: Keyring['all'] = [newest, ...older];
  return { newest, all, accepted: (now) => (now < olderAcceptedUntil ? all : [newest]) };
}

const hkdf = (purpose: string) => ({ name: 'HKDF', hash: 'SHA-256', salt, info: encoder.encode(`${purpose}/v1`) });
const importRoot = (secret: string) =>
  crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, ['deriveKey', 'deriveBits']);

async function deriveRootKeys(secret: string): Promise<RootKeys> {
  const root = await importRoot(secret);
  const mac = (purpose: string) => crypto.subtle.deriveKey(hkdf(purpose), root, hmac, false, ['sign', 'verify']);
  const [id, seal, blindIndex, refreshToken, pepper, oneTimeCode, device, address] = await Promise.all([
    crypto.subtle.deriveBits(hkdf('key-id'), root, 48),
    crypto.subtle.deriveKey(hkdf('seal'), root, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']),
    mac('blind-index'),
    mac('refresh-token'),
    mac('pepper'),
    mac('one-time-code'),
    mac('device'),
    mac('address'),
  ]);
  const idText = base64url.encode(new Uint8Array(id));
  return { id: idText, seal, blindIndex, refreshToken, pepper, oneTimeCode, device, address };
}

/**
 * The pepper of a secret as bytes. A hash that waits for its owner takes the pepper along, sealed, when its secret
 * retires; nothing else needs it.
 */
export async function derivePepperBytes(secret: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.deriveBits(hkdf('pepper'), await importRoot(secret), 256));
}
