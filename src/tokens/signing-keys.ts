import { importJWK, type JWK } from 'jose';
import type { Deps } from '../deps.ts';
import { describeError } from '../ops/log.ts';
import { addSigningKey, publicJwkSchema } from './new-signing-key.ts';
import { openSigningKey, WrongSecret } from './secret-guard.ts';
import { keyCacheTtl, outdatedAfter, type SigningKeyState, signingKeyState } from './signing-key-state.ts';
import { deleteSigningKeys, readSigningKeys, type SigningKeyRow } from './store.ts';

export const signingAlgorithm = 'RS256';
/** A key that nobody here knows is looked for in the database at most this often: milliseconds. */
const unknownKidPause = 10_000;

interface LoadedKey {
  readonly row: SigningKeyRow;
  readonly publicJwk: JWK;
  readonly verify: CryptoKey;
  /** Missing where the private part is sealed under a secret that is not configured any more. */
  readonly sign: CryptoKey | undefined;
}

export interface SigningKeys {
  /** The key that signs now; made on first use. */
  signing(): Promise<{ kid: string; key: CryptoKey }>;
  /** The key that verifies, or undefined for a `kid` that is not published. */
  verifying(kid: string): Promise<CryptoKey | undefined>;
  /** The JSON Web Key Set (RFC 7517 section 5): all that are published. */
  published(): Promise<{ keys: JWK[] }>;
  /** The keys' states, and from when each signs: milliseconds; oldest first. */
  states(): Promise<{ state: SigningKeyState; signsFrom: number }[]>;
  /** Publishes the next key when the current one's term nears its end, and deletes expired ones. */
  rotate(): Promise<void>;
}

type Needs = Pick<Deps, 'config' | 'db' | 'keyring' | 'log' | 'now'>;

/** The signing keys as one isolate sees them: read from Postgres, kept for some minutes. */
export function createSigningKeys({ config, db, keyring, log, now }: Needs): SigningKeys {
  let keys: readonly LoadedKey[] = [];
  let knownSince = Number.NEGATIVE_INFINITY;
  let readsBegun = 0;
  let lastShown = 0;
  let readAgainAt = 0;
  let lookAgainAt = 0;

  const stateOf = ({ row }: LoadedKey) =>
    signingKeyState(
      row,
      keys.map((key) => key.row),
      now(),
      config.accessTokenTtl,
    );
  const isPublished = (key: LoadedKey) => stateOf(key) !== 'expired';
  // One that is published next signs early where no other can: its maker's clock is ahead, or a secret is gone.
  const signingNow = () =>
    keys.findLast((key) => key.sign !== undefined && stateOf(key) === 'signing') ??
    keys.find((key) => key.sign !== undefined && stateOf(key) === 'published-next');

  async function loadKey(row: SigningKeyRow): Promise<LoadedKey> {
    const known = keys.find((key) => key.row.kid === row.kid);
    if (known !== undefined) return { ...known, row };
    const jwk = publicJwkSchema.parse(row.publicJwk);
    const publicJwk = { ...jwk, kid: row.kid, alg: signingAlgorithm, use: 'sig' };
    const verify = await importRsaKey(publicJwk);
    const text = await openSigningKey({ keyring }, row);
    return { row, publicJwk, verify, sign: text === undefined ? undefined : await importRsaKey(JSON.parse(text)) };
  }

  async function load(): Promise<void> {
    readsBegun += 1;
    const turn = readsBegun;
    const loaded = await Promise.all((await readSigningKeys(db)).map(loadKey));
    // An answer that was long on its way must not undo what a later one told.
    if (turn < lastShown) return;
    lastShown = turn;
    keys = loaded;
    knownSince = now();
  }

  async function read(): Promise<void> {
    // Set before the first await: while one request reads, the others use what is there. Requests on Workers must
    // not wait for each other's I/O, so nobody shares this promise.
    const previous = readAgainAt;
    readAgainAt = now() + keyCacheTtl(config.signingKeyLead) * 1000;
    lookAgainAt = now() + unknownKidPause;
    try {
      await load();
      if (signingNow() !== undefined) return;
      // The first key of all, or none is left that can sign: it has to sign at once.
      if (keys.length > 0 && keys.every((key) => key.sign === undefined)) throw new WrongSecret();
      await addSigningKey({ config, db, keyring, now }, (keys.at(-1)?.row.ordinal ?? 0) + 1, now());
      await load();
    } catch (error) {
      // What is known goes on serving while the database is away; the next try comes after a second.
      readAgainAt = keys.length === 0 ? previous : now() + 1000;
      if (keys.length === 0 || error instanceof WrongSecret) throw error;
      log.warn('signing_keys_not_read', describeError(error));
    }
  }

  /** @param maximumAge seconds; what is older is read again by every request, also while another one reads */
  async function fresh(maximumAge = Number.POSITIVE_INFINITY): Promise<void> {
    const isOutdated = now() - knownSince > maximumAge * 1000;
    if (keys.length === 0 || isOutdated || now() >= readAgainAt) await read();
  }

  return {
    async signing() {
      await fresh(outdatedAfter(config.signingKeyLead));
      const current = signingNow();
      if (current?.sign === undefined) throw new Error('No signing key can be opened with the configured secrets');
      return { kid: current.row.kid, key: current.sign };
    },
    async verifying(kid) {
      await fresh();
      const find = () => keys.find((key) => key.row.kid === kid && isPublished(key))?.verify;
      const known = find();
      if (known !== undefined || now() < lookAgainAt) return known;
      await read();
      return find();
    },
    async published() {
      await fresh(outdatedAfter(config.signingKeyLead));
      return { keys: keys.filter(isPublished).map((key) => key.publicJwk) };
    },
    async states() {
      await fresh(outdatedAfter(config.signingKeyLead));
      return keys.map((key) => ({ state: stateOf(key), signsFrom: key.row.signsFrom.getTime() }));
    },
    async rotate() {
      await read();
      const newest = keys.at(-1)?.row;
      if (newest === undefined) return;
      const termEnds = newest.signsFrom.getTime() + config.signingKeyTerm * 1000;
      const lead = config.signingKeyLead * 1000;
      if (now() >= termEnds - lead) {
        await addSigningKey({ config, db, keyring, now }, newest.ordinal + 1, Math.max(termEnds, now() + lead));
        await read();
      }
      const expired = keys.filter((key) => stateOf(key) === 'expired').map((key) => key.row.ordinal);
      if (expired.length > 0) await deleteSigningKeys(db, expired);
    },
  };
}

async function importRsaKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, signingAlgorithm, { extractable: false });
  if (key instanceof Uint8Array) throw new Error('Not an RSA key');
  return key;
}
