import { createCipheriv, timingSafeEqual } from 'node:crypto';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { type ReadHash, refuse } from './scheme.ts';
import { refuseScrypt, scryptCost } from './scrypt.ts';

const shape = /^\$firescrypt\$ln=([1-9]\d?),r=([1-9]\d?),p=([1-9]\d?)\$([^$]+)\$([^$]+)\$([^$]+)\$([^$]+)$/;
// The same as Supabase writes it.
const gotrue =
  /^\$fbscrypt\$v=1,n=([1-9]\d?),r=([1-9]\d?),p=([1-9]\d?)(?:,ss=([\w+/=-]*))?,sk=([\w+/=-]+)\$([^$]+)\$([^$]+)$/;
const KEY_LENGTH = 32;

/**
 * Firebase's modified scrypt, with the parameters of its project, as Kratos writes it:
 * `$firescrypt$ln=,r=,p=$salt$hash$salt separator$signer key`. The hash is the signer key, encrypted with AES-256-CTR
 * under what scrypt derives.
 */
export const readFirebase: ReadHash = (written, limits) => {
  const text = written.replace(gotrue, '$$firescrypt$$ln=$1,r=$2,p=$3$$$6$$$7$$$4$$$5');
  const [, ln, r, p, ...parts] = shape.exec(text) ?? [];
  if (ln === undefined) return undefined;
  const [salt, tag, separator, signerKey] = parts.map((part) => decodeBase64(part) ?? undefined);
  if (salt === undefined || tag === undefined || separator === undefined || signerKey === undefined) {
    return refuse('Not base64 in the salt, the hash, the salt separator or the signer key');
  }
  if (tag.length < 16 || tag.length > 64 || tag.length !== signerKey.length || salt.length + separator.length > 64) {
    return refuse('A hash of Firebase is as long as its signer key, 64 bytes at most');
  }
  const parameters = { cost: 2 ** Number(ln), blockSize: Number(r), parallelization: Number(p) };
  const refused = refuseScrypt(parameters, limits);
  if (refused !== undefined) return refused;
  const encoded = [salt, tag, separator, signerKey].map(encodeBase64).join('$');
  return {
    stored: `$firescrypt$ln=${ln},r=${r},p=${p}$${encoded}`,
    form: 'typed',
    ...scryptCost(parameters),
    async matches(password, { scrypt }) {
      const input = { ...parameters, password, salt: Uint8Array.of(...salt, ...separator), length: KEY_LENGTH };
      const key = await scrypt(input);
      const cipher = createCipheriv('aes-256-ctr', key, new Uint8Array(16));
      return timingSafeEqual(new Uint8Array(cipher.update(signerKey)), tag);
    },
  };
};
