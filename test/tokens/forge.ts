import { base64url } from 'jose';
import { unseal } from '../../src/crypto/seal.ts';
import { readSigningKeys } from '../../src/tokens/store.ts';
import { issuer, type TestApp } from '../support/test-app.ts';

type Fields = Readonly<Record<string, unknown>>;
/** What to sign with: a name and a hash for the key, and the salt length of RSA-PSS. */
interface Scheme {
  readonly name: string;
  readonly hash: string;
  readonly saltLength?: number;
}

export const rs256: Scheme = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
const encoder = new TextEncoder();

/** Makes tokens of any content, really signed with the key that the service signs with. */
export interface Forger {
  /** Of a token that is good in every respect. */
  readonly header: Fields;
  readonly claims: Fields;
  /** Seconds since the epoch. */
  readonly now: number;
  readonly publicJwk: JsonWebKey;
  /** A good token with changes; a field that is undefined is left out. */
  token(changes?: { readonly header?: Fields; readonly claims?: Fields }): Promise<string>;
  /** Signs two texts as they stand. */
  sign(header: string, claims: string, scheme?: Scheme): Promise<string>;
  /** Signs a good header with changes, and good claims, with another key. */
  signWith(key: CryptoKey, header?: Fields, algorithm?: Scheme | 'HMAC'): Promise<string>;
}

/** Takes the signing key out of the database, which only the service's own secret opens. */
export async function createForger(app: TestApp): Promise<Forger> {
  await app.request('GET', '/.well-known/jwks.json');
  const row = (await readSigningKeys(app.deps.db)).at(-1);
  if (row === undefined) throw new Error('No signing key');
  const sealed = await unseal(app.deps.keyring, `signing_keys.private:${row.kid}`, row.privateSealed);
  const { kty, n, e, d, p, q, dp, dq, qi }: JsonWebKey = JSON.parse(sealed);
  const privateJwk = { kty, n, e, d, p, q, dp, dq, qi } as JsonWebKey;
  const now = Math.floor(app.clock.now() / 1000);
  const header = { alg: 'RS256', typ: 'at+jwt', kid: row.kid };
  const claims = {
    sid: '018f0000-0000-7000-8000-000000000001',
    client_id: 'first-party',
    scope: 'account',
    roles: ['user'],
    iss: issuer,
    aud: issuer,
    sub: '018f0000-0000-7000-8000-000000000002',
    iat: now,
    exp: now + 900,
    jti: '018f0000-0000-7000-8000-000000000003',
  };
  const sign = async (protectedHeader: string, payload: string, scheme = rs256) => {
    const key = await crypto.subtle.importKey('jwk', privateJwk, scheme, false, ['sign']);
    return await compact(protectedHeader, payload, key, scheme);
  };
  return {
    header,
    claims,
    now,
    publicJwk: { kty, n, e } as JsonWebKey,
    sign,
    token: (changes = {}) =>
      sign(JSON.stringify({ ...header, ...changes.header }), JSON.stringify({ ...claims, ...changes.claims })),
    signWith: (key, changes = {}, algorithm = rs256) =>
      compact(JSON.stringify({ ...header, ...changes }), JSON.stringify(claims), key, algorithm),
  };
}

async function compact(header: string, claims: string, key: CryptoKey, algorithm: Scheme | 'HMAC'): Promise<string> {
  const input = `${base64url.encode(header)}.${base64url.encode(claims)}`;
  const signature = await crypto.subtle.sign(algorithm, key, encoder.encode(input));
  return `${input}.${base64url.encode(new Uint8Array(signature))}`;
}

/** An RSA key that the service knows nothing of. */
export async function strangersKey(): Promise<{ key: CryptoKey; publicJwk: JsonWebKey }> {
  const algorithm = { ...rs256, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const pair = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new Error('RSA gives a pair of keys');
  const exported = await crypto.subtle.exportKey('jwk', pair.publicKey);
  if (exported instanceof ArrayBuffer) throw new Error('Not a JWK');
  return { key: pair.privateKey, publicJwk: exported };
}

/** Uses the bytes of something public as the secret of HS256, as libraries that trust `alg` can be made to. */
export const hmacKey = (secret: string | ArrayBuffer | Uint8Array): Promise<CryptoKey> => {
  const bytes = typeof secret === 'string' ? encoder.encode(secret) : new Uint8Array(secret);
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
};

/** The public key as SubjectPublicKeyInfo, in DER and in PEM. */
export async function spki(publicJwk: JsonWebKey): Promise<{ der: ArrayBuffer; pem: string }> {
  const key = await crypto.subtle.importKey('jwk', publicJwk, rs256, true, ['verify']);
  const der = await crypto.subtle.exportKey('spki', key);
  if (!(der instanceof ArrayBuffer)) throw new Error('Not SPKI');
  const lines = btoa(String.fromCharCode(...new Uint8Array(der))).replace(/.{64}/g, '$&\n');
  return { der, pem: `-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n` };
}
