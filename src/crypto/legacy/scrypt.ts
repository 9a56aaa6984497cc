import { timingSafeEqual } from 'node:crypto';
import type { HashLimits, ScryptInput } from '../hashing.ts';
import { decodeBase64, decodeHex, encodeBase64 } from './base64.ts';
import { type ForeignHash, largeMemory, type PasswordForm, type ReadHash, type RefusedHash, refuse } from './scheme.ts';

type Parameters = Omit<ScryptInput, 'password'>;

// `ln` is the logarithm, as the PHC string format has it. Kratos writes N itself there.
const phc = /^\$scrypt\$ln=([1-9]\d{0,7}),r=([1-9]\d{0,5}),p=([1-9]\d{0,5})\$([^$]+)\$([^$]+)$/;
const werkzeug = /^scrypt:([1-9]\d{0,7}):([1-9]\d{0,5}):([1-9]\d{0,5})\$([^$]{1,64})\$([0-9a-f]{32,128})$/;
const betterAuth = /^([0-9a-f]{32}):([0-9a-f]{128})$/;
/** The least N: it takes a core three milliseconds. */
const minCost = 1024;
const encoder = new TextEncoder();

/** scrypt (RFC 7914): PHC strings, Kratos', Werkzeug's, and Better Auth's `salt:hex`. */
export const readScrypt: ReadHash = (text, limits) => {
  const [, ln, r, p, salt = '', tag = ''] = phc.exec(text) ?? [];
  if (ln !== undefined) {
    // No logarithm is above 63, and no N of use below 64.
    const cost = Number(ln) < 64 ? 2 ** Number(ln) : Number(ln);
    return toHash(limits, 'typed', decodeBase64(tag), {
      cost,
      blockSize: Number(r),
      parallelization: Number(p),
      salt: decodeBase64(salt),
    });
  }
  const [, n, blockSize, parallelization, saltText = '', hex = ''] = werkzeug.exec(text) ?? [];
  if (n !== undefined) {
    return toHash(limits, 'typed', decodeHex(hex), {
      cost: Number(n),
      blockSize: Number(blockSize),
      parallelization: Number(parallelization),
      salt: encoder.encode(saltText),
    });
  }
  const [, authSalt, authTag = ''] = betterAuth.exec(text) ?? [];
  if (authSalt === undefined) return undefined;
  // The salt is the text and not the bytes it spells; the password is normalised there.
  const parameters = { cost: 16_384, blockSize: 16, parallelization: 1, salt: encoder.encode(authSalt) };
  return toHash(limits, 'nfkc', decodeHex(authTag), parameters);
};

/** Why scrypt with these parameters is not computed, or undefined where it is. */
export function refuseScrypt(
  { cost, blockSize, parallelization }: Pick<Parameters, 'cost' | 'blockSize' | 'parallelization'>,
  { runtime, scryptWork }: HashLimits,
): RefusedHash | undefined {
  if (!Number.isInteger(Math.log2(cost)) || cost < 2) return refuse('N of scrypt is not a power of two');
  if (blockSize > 32 || parallelization > 16 || cost * blockSize * parallelization > scryptWork) {
    const bounds = `r up to 32, p up to 16, N*r*p up to 2^${Math.log2(scryptWork)}`;
    return refuse(`scrypt of N=${cost}, r=${blockSize}, p=${parallelization}: ${runtime} verifies ${bounds}`);
  }
  return undefined;
}

/** What scrypt takes: N=16384, r=8 take a core some 50 ms. */
export function scryptCost({
  cost,
  blockSize,
  parallelization,
}: Pick<Parameters, 'cost' | 'blockSize' | 'parallelization'>): Pick<ForeignHash, 'cost' | 'isLarge' | 'weakness'> {
  return {
    cost: (cost * blockSize * parallelization) / 2600,
    isLarge: (cost * blockSize) / 8 > largeMemory,
    weakness:
      cost < minCost ? `scrypt of N=${cost} protects no password: ${minCost} is the least that is taken` : undefined,
  };
}

function toHash(
  limits: HashLimits,
  form: PasswordForm,
  tag: Uint8Array | null,
  parameters: Omit<Parameters, 'salt' | 'length'> & { readonly salt: Uint8Array | null },
): ForeignHash | RefusedHash {
  const { cost, blockSize, parallelization, salt } = parameters;
  if (salt === null || tag === null) return refuse('Not base64 in the salt or the hash');
  if (salt.length < 8 || salt.length > 64 || tag.length < 16 || tag.length > 64) {
    return refuse('scrypt with a salt of other than 8 to 64 bytes, or a hash of other than 16 to 64');
  }
  const refused = refuseScrypt(parameters, limits);
  if (refused !== undefined) return refused;
  const written = `$scrypt$ln=${Math.log2(cost)},r=${blockSize},p=${parallelization}`;
  return {
    stored: `${form === 'nfkc' ? 'nfkc:' : ''}${written}$${encodeBase64(salt)}$${encodeBase64(tag)}`,
    form,
    ...scryptCost(parameters),
    async matches(password, { scrypt }) {
      const key = await scrypt({ password, salt, cost, blockSize, parallelization, length: tag.length });
      return timingSafeEqual(key, tag);
    },
  };
}
