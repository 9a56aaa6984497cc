import type { HashLimits } from '../hashing.ts';
import { readArgon2 } from './argon2.ts';
import { readAspNet } from './aspnet.ts';
import { readBcrypt } from './bcrypt.ts';
import { readPepperedBcrypt } from './bcrypt-peppered.ts';
import { readPrehashedBcrypt } from './bcrypt-prehashed.ts';
import { readFirebase } from './firebase.ts';
import { readPbkdf2 } from './pbkdf2.ts';
import { readPhpass } from './phpass.ts';
import { type ForeignHash, type ReadHash, type RefusedHash, refuse } from './scheme.ts';
import { readScrypt } from './scrypt.ts';
import { reasonForUnknown } from './unknown.ts';

/** What other systems hash with. A scheme is a file and a line here; no string belongs to two of them. */
const schemes: readonly ReadHash[] = [
  readBcrypt,
  readPrehashedBcrypt,
  readPepperedBcrypt,
  readArgon2,
  readScrypt,
  readFirebase,
  readPbkdf2,
  readAspNet,
  readPhpass,
];

/** Says that the NFKC of a password was hashed, where the scheme does not know by itself. */
const nfkc = 'nfkc:';
/** Names of schemes that LDAP, Spring and Django write in front of what says so by itself. */
const wrapping = /^(?:\{(?:crypt|bcrypt|argon2(?:@\w+)?)\}|bcrypt\$(?=\$2))/i;

/**
 * Reads the hash of another system: what its parameters cost is known before anything is hashed.
 * @returns how it is stored and compared, or why it cannot be
 */
export function readForeignHash(text: string, limits: HashLimits): ForeignHash | RefusedHash {
  const isNormalised = text.startsWith(nfkc);
  const plain = (isNormalised ? text.slice(nfkc.length) : text).replace(wrapping, '');
  for (const read of schemes) {
    const found = read(plain, limits);
    if (found === undefined) continue;
    if ('refused' in found || !isNormalised || found.form === 'nfkc') return found;
    return { ...found, form: 'nfkc', stored: nfkc + found.stored };
  }
  return refuse(reasonForUnknown(plain));
}
