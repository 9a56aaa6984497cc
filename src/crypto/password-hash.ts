import { timingSafeEqual } from 'node:crypto';
import { type Argon2, argon2Limits, isWithinArgon2Limits } from './argon2.ts';
import type { Keyring } from './derive.ts';
import { BCRYPT_MOST_BYTES, verifyBcrypt, verifyScrypt } from './legacy-hash.ts';
import { importPepper, isSealedHash, openHash } from './sealed-hash.ts';
import { type Argon2Hash, formatArgon2Hash, parseStoredHash, type StoredHash } from './stored-hash.ts';

/** A secret key mixed into every hash, so that a dump of the database alone is not enough to guess passwords. */
export interface Pepper {
  /** base64url of at most 8 bytes: stored beside the hash. */
  readonly id: string;
  /** HMAC-SHA-256, may sign */
  readonly key: CryptoKey;
}

export interface PasswordParameters {
  /** KiB */
  readonly memory: number;
  readonly iterations: number;
  readonly parallelism: number;
}

interface PasswordVerification {
  readonly valid: boolean;
  /** The password is right, and `hash` would now store it otherwise. */
  readonly needsUpgrade: boolean;
}

export interface PasswordHasher {
  /**
   * Gives the string to store.
   * @param signal of the request: once aborted, no hash begins, and the promise rejects with its reason
   * @throws RangeError for a password of more than 2048 bytes of UTF-8, typed or normalised, or with a lone surrogate
   */
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /**
   * Compares a password with what is stored, ours or another system's. `null` (no such user, or no password) and
   * a string that cannot be verified cost one hash with the present parameters, and are invalid. Never throws for what
   * is stored, nor for a password.
   */
  verify(password: string, stored: string | null, signal?: AbortSignal): Promise<PasswordVerification>;
}

interface HasherOptions {
  readonly argon2: Argon2;
  /** Newest first. The newest makes hashes, all verify. */
  readonly peppers: readonly Pepper[];
  /** Opens hashes that were sealed when the secret of their pepper retired. */
  readonly keyring?: Keyring;
  /** By default the least of OWASP's Password Storage Cheat Sheet: 19 MiB, 2 iterations, 1 lane. */
  readonly parameters?: PasswordParameters;
}

const SALT_LENGTH = 16;
const TAG_LENGTH = 32;
const owasp: PasswordParameters = { memory: 19_456, iterations: 2, parallelism: 1 };
const invalid: PasswordVerification = { valid: false, needsUpgrade: false };
const encoder = new TextEncoder();

/**
 * Hashes passwords with Argon2id (RFC 9106) and a pepper: HMAC-SHA-256 over the tag, its key named in the PHC string.
 * Passwords are normalised first (NFKC, NIST SP 800-63B section 3.1.1.2).
 */
export function createPasswordHasher(options: HasherOptions): PasswordHasher {
  const { argon2, peppers, keyring, parameters = owasp } = options;
  const [newest] = peppers;
  if (newest === undefined) throw new RangeError('Password hashing needs at least one pepper');
  const keys = new Map(peppers.map(({ id, key }) => [id, key]));
  if (keys.size !== peppers.length) throw new RangeError('Two peppers have the same id');
  if (!peppers.every(({ id }) => /^[\w-]{1,11}$/.test(id))) throw new RangeError('A pepper id is not base64url');

  const present = (salt: Uint8Array) =>
    ({ ...parameters, type: 'argon2id', version: 0x13, salt, tagLength: TAG_LENGTH }) as const;
  if (!isWithinArgon2Limits(present(new Uint8Array(SALT_LENGTH)))) {
    throw new RangeError('The parameters for password hashing are out of bounds');
  }

  // What an unknown user is compared with: the same work, and never a match.
  const decoy: Argon2Hash = {
    algorithm: 'argon2',
    parameters: present(new Uint8Array(SALT_LENGTH)),
    tag: new Uint8Array(TAG_LENGTH),
    keyId: newest.id,
  };

  async function tagOf(
    password: string,
    hash: Omit<Argon2Hash, 'tag'>,
    signal?: AbortSignal,
    ownPepper?: CryptoKey,
  ): Promise<Uint8Array> {
    const bytes = encoder.encode(password);
    const tag = await argon2({ ...hash.parameters, password: bytes }, signal).finally(() => bytes.fill(0));
    if (hash.keyId === undefined) return tag;
    const key = ownPepper ?? keys.get(hash.keyId);
    if (key === undefined) throw new Error('The pepper of a password hash is unknown');
    const peppered = await crypto.subtle.sign('HMAC', key, tag);
    tag.fill(0);
    return new Uint8Array(peppered);
  }

  async function matches(
    password: string,
    stored: StoredHash,
    signal?: AbortSignal,
    ownPepper?: CryptoKey,
  ): Promise<boolean> {
    signal?.throwIfAborted();
    if (stored.algorithm === 'bcrypt') return verifyBcrypt(password, stored);
    if (stored.algorithm === 'scrypt') return verifyScrypt(password, stored, signal);
    return timingSafeEqual(await tagOf(password, stored, signal, ownPepper), stored.tag);
  }

  function needsUpgrade(password: string, stored: StoredHash): boolean {
    // The part past the 72nd byte was not compared. Hashing it now might store a mistyped password.
    if (stored.algorithm === 'bcrypt') return encoder.encode(password).length <= BCRYPT_MOST_BYTES;
    if (stored.algorithm === 'scrypt') return true;
    const { salt } = stored.parameters;
    const wanted = { ...stored, parameters: present(salt), keyId: newest?.id };
    return salt.length !== SALT_LENGTH || formatArgon2Hash(stored) !== formatArgon2Hash(wanted);
  }

  async function open(stored: string): Promise<{ hash: string; pepper: CryptoKey } | undefined> {
    const opened = keyring === undefined ? undefined : await openHash(keyring, stored);
    return opened && { hash: opened.hash, pepper: await importPepper(opened.pepper) };
  }

  return {
    async hash(password, signal) {
      if (!isAcceptable(password)) throw new RangeError('The password is too long or not well-formed');
      const salt = crypto.getRandomValues(new Uint8Array(SALT_LENGTH));
      const hash = { algorithm: 'argon2', parameters: present(salt), keyId: newest.id } as const;
      return formatArgon2Hash({ ...hash, tag: await tagOf(password.normalize('NFKC'), hash, signal) });
    },

    async verify(password, stored, signal) {
      if (!isAcceptable(password)) return invalid;
      const opened = stored === null || !isSealedHash(stored) ? undefined : await open(stored);
      const own = opened?.pepper;
      const text = opened?.hash ?? stored;
      const parsed = text === null ? null : parseStoredHash(text);
      const normalized = password.normalize('NFKC');
      if (
        parsed === null ||
        (parsed.algorithm === 'argon2' && parsed.keyId !== undefined && own === undefined && !keys.has(parsed.keyId))
      ) {
        await matches(normalized, decoy, signal);
        return invalid;
      }
      // Most systems hash what was typed, some normalise: an imported hash may cost two comparisons, ours costs one.
      const ours = parsed.algorithm === 'argon2' && parsed.keyId !== undefined;
      for (const candidate of new Set(ours ? [normalized] : [password, normalized])) {
        if (await matches(candidate, parsed, signal, own)) {
          return { valid: true, needsUpgrade: own !== undefined || needsUpgrade(candidate, parsed) };
        }
      }
      return invalid;
    },
  };
}

/** Checked before any work. Lone surrogates all encode to the same bytes (U+FFFD), so one would stand for another. */
function isAcceptable(password: string): boolean {
  const { passwordLength } = argon2Limits;
  const fits = (form: string) => encoder.encode(form).length <= passwordLength;
  // NFKC makes up to eighteen characters of one, so both forms count.
  return (
    password.length <= passwordLength && password.isWellFormed() && fits(password) && fits(password.normalize('NFKC'))
  );
}
