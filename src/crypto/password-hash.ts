import { timingSafeEqual } from 'node:crypto';
import { argon2Limits, isWithinArgon2Limits } from './argon2.ts';
import { argon2Cost, formatArgon2 } from './argon2-string.ts';
import type { Keyring } from './derive.ts';
import type { Hashing, Work } from './hashing.ts';
import type { ForeignHash } from './legacy/scheme.ts';
import { importPepper, isSealedHash, openHash } from './sealed-hash.ts';
import { type OwnHash, readStoredHash } from './stored-hash.ts';

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
   * @param signal of the request: once aborted, no hash begins, and the promise rejects with `NobodyWaits`
   * @param place in the line: `front` for a request that has verified a password before, and then it is never turned away
   * @throws {RangeError} for a password of more than 2048 bytes of UTF-8, typed or normalised, or with a lone surrogate
   * @throws {Overloaded} where too many hashes wait already
   */
  hash(password: string, signal?: AbortSignal, place?: 'end' | 'front'): Promise<string>;
  /**
   * Compares a password with what is stored, ours or another system's, once. `null` (no such user, or no password) and
   * a string that cannot be verified cost one hash with the present parameters, and are invalid. Never throws for what
   * is stored, nor for a password.
   * @throws {Overloaded}
   */
  verify(password: string, stored: string | null, signal?: AbortSignal): Promise<PasswordVerification>;
}

interface HasherOptions {
  readonly hashing: Hashing;
  /** Newest first. The newest makes hashes, all verify. */
  readonly peppers: readonly Pepper[];
  /** Opens hashes that were sealed when the secret of their pepper retired. */
  readonly keyring?: Keyring;
  /** Of other systems, by name: what their hashes need beside the password. */
  readonly legacyPeppers?: ReadonlyMap<string, string>;
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
 * Passwords are normalised first (NFKC, NIST SP 800-63B section 3.1.1.2); of another system's hash its reader knows
 * which form was hashed.
 */
export function createPasswordHasher({
  hashing,
  peppers,
  keyring,
  legacyPeppers = new Map(),
  parameters = owasp,
}: HasherOptions): PasswordHasher {
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
  const decoy: OwnHash = {
    parameters: present(new Uint8Array(SALT_LENGTH)),
    tag: new Uint8Array(TAG_LENGTH),
    keyId: newest.id,
  };

  async function tagOf(
    password: string,
    { parameters, keyId }: Omit<OwnHash, 'tag'>,
    work: Omit<Work, 'cost'>,
    ownPepper?: CryptoKey,
  ) {
    const key = ownPepper ?? keys.get(keyId);
    if (key === undefined) throw new Error('The pepper of a password hash is unknown');
    const bytes = encoder.encode(password);
    const tag = await hashing
      .admit(() => hashing.argon2({ ...parameters, password: bytes }), { ...work, cost: argon2Cost(parameters) })
      .finally(() => bytes.fill(0));
    const peppered = await crypto.subtle.sign('HMAC', key, tag);
    tag.fill(0);
    return new Uint8Array(peppered);
  }

  async function verifyOwn(
    password: string,
    stored: OwnHash,
    signal?: AbortSignal,
    ownPepper?: CryptoKey,
  ): Promise<PasswordVerification> {
    const valid = timingSafeEqual(await tagOf(password, stored, { signal }, ownPepper), stored.tag);
    if (ownPepper !== undefined) return { valid, needsUpgrade: valid };
    const { salt } = stored.parameters;
    const wanted = { ...stored, parameters: present(salt), keyId: newest?.id };
    const isPresent = salt.length === SALT_LENGTH && formatArgon2(stored) === formatArgon2(wanted);
    return { valid, needsUpgrade: valid && !isPresent };
  }

  async function verifyForeign(password: string, stored: ForeignHash, pepper: string, signal?: AbortSignal) {
    const { cost, isLarge, readsBytes = Number.POSITIVE_INFINITY } = stored;
    const compare = () => stored.matches(password, hashing, pepper);
    const valid = await hashing.admit(compare, { cost, isLarge, signal });
    // What lies past the bytes that are read was not compared. Hashing it now might store a mistyped password.
    return { valid, needsUpgrade: valid && encoder.encode(password).length <= readsBytes };
  }

  async function open(stored: string): Promise<{ hash: string; pepper: CryptoKey } | undefined> {
    const opened = keyring === undefined ? undefined : await openHash(keyring, stored);
    return opened && { hash: opened.hash, pepper: await importPepper(opened.pepper) };
  }

  return {
    async hash(password, signal, place = 'end') {
      if (!isAcceptable(password)) throw new RangeError('The password is too long or not well-formed');
      const salt = crypto.getRandomValues(new Uint8Array(SALT_LENGTH));
      const made = { parameters: present(salt), keyId: newest.id };
      const work = { signal, isContinuation: place === 'front' };
      return formatArgon2({ ...made, tag: await tagOf(password.normalize('NFKC'), made, work) });
    },

    async verify(password, stored, signal) {
      if (!isAcceptable(password)) return invalid;
      const normalised = password.normalize('NFKC');
      const opened = stored === null || !isSealedHash(stored) ? undefined : await open(stored);
      const text = opened?.hash ?? stored;
      const read = text === null ? undefined : readStoredHash(text, hashing.limits);
      if (read !== undefined && 'matches' in read) {
        const pepper = read.pepper === undefined ? '' : legacyPeppers.get(read.pepper);
        const form = read.form === 'nfkc' ? normalised : password;
        if (pepper !== undefined) return await verifyForeign(form, read, pepper, signal);
      } else if (read !== undefined && 'tag' in read && (opened !== undefined || keys.has(read.keyId))) {
        return await verifyOwn(normalised, read, signal, opened?.pepper);
      }
      await tagOf(normalised, decoy, { signal });
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
