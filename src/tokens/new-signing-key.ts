import { calculateJwkThumbprint, exportJWK } from 'jose';
import * as z from 'zod';
import type { AuditRow } from '../audit/audit.ts';
import { seal } from '../crypto/seal.ts';
import type { Deps } from '../deps.ts';
import { signingKeyPlace } from './secret-guard.ts';
import { insertSigningKey } from './store.ts';

const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]) };
export const publicJwkSchema = z.object({ kty: z.literal('RSA'), n: z.string(), e: z.string() });

/**
 * Makes a key and publishes it, unless somebody else took its ordinal first.
 * @param signsFrom milliseconds
 * @param audit tells of it where an operator asked for it
 * @returns its name
 */
export async function addSigningKey(
  {
    config,
    db,
    keyring,
    now,
  }: Pick<Deps, 'db' | 'keyring' | 'now'> & {
    readonly config: Pick<Deps['config'], 'signingKeyBits'>;
  },
  ordinal: number,
  signsFrom: number,
  audit?: (kid: string) => AuditRow,
): Promise<string> {
  const parameters = { ...algorithm, modulusLength: config.signingKeyBits };
  const pair = await crypto.subtle.generateKey(parameters, true, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new Error('RSA gives a pair of keys');
  const { kty, n, e } = publicJwkSchema.parse(await exportJWK(pair.publicKey));
  const kid = await calculateJwkThumbprint({ kty, n, e });
  const privateSealed = await seal(keyring, signingKeyPlace(kid), JSON.stringify(await exportJWK(pair.privateKey)));
  const [publicJwk, createdAt] = [{ kty, n, e }, new Date(now())];
  const row = { ordinal, kid, publicJwk, privateSealed, signsFrom: new Date(signsFrom), createdAt };
  await insertSigningKey(db, row, audit?.(kid));
  return kid;
}
