import { ConfigError } from '../config.ts';
import { unseal } from '../crypto/seal.ts';
import type { Deps } from '../deps.ts';
import { readSigningKeys, type SigningKeyRow } from './store.ts';

/** The database belongs to a service with another secret: nothing in it can be read here, and nobody found. */
export class WrongSecret extends ConfigError {
  constructor() {
    super(
      'AUTH_SECRET: this database belongs to a service with another secret. Set AUTH_SECRET to that one; after a change ' +
        'of the secret name the old one in AUTH_SECRET_PREVIOUS until "npm run cli -- reseal" has moved everything',
    );
  }
}

/** Where the private part of a key stands: what is sealed for it opens nowhere else. */
export const signingKeyPlace = (kid: string) => `signing_keys.private:${kid}`;

/** The private key of a row as JSON, or undefined where no configured secret opens it. */
export async function openSigningKey(
  { keyring }: Pick<Deps, 'keyring'>,
  row: Pick<SigningKeyRow, 'kid' | 'privateSealed'>,
): Promise<string | undefined> {
  return await unseal(keyring, signingKeyPlace(row.kid), row.privateSealed).catch(() => undefined);
}

/**
 * Keeps a service, or a command, with a wrong secret from working on a database: it would find nobody, let each address
 * register a second time, and seal what the others cannot open. A database without signing keys has not served yet, and
 * takes any secret.
 * @throws {WrongSecret}
 */
export async function refuseWrongSecret(deps: Pick<Deps, 'db' | 'keyring'>): Promise<void> {
  const rows = await readSigningKeys(deps.db);
  const opened = await Promise.all(rows.map((row) => openSigningKey(deps, row)));
  if (rows.length > 0 && opened.every((text) => text === undefined)) throw new WrongSecret();
}

/** How long an answer that is not good is kept: milliseconds. */
const pause = 5000;

/**
 * The same for a runtime that cannot refuse to start: asks before the first request, and again while the secret is wrong
 * or the database does not answer. Requests do not wait for each other's question.
 */
export function createSecretGuard(deps: Pick<Deps, 'db' | 'keyring' | 'now'>): () => Promise<void> {
  let isRight = false;
  let wrong: WrongSecret | undefined;
  let askAgainAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (isRight) return;
    if (deps.now() >= askAgainAt) {
      askAgainAt = deps.now() + pause;
      try {
        await refuseWrongSecret(deps);
        isRight = true;
        wrong = undefined;
      } catch (error) {
        // Where the database is away, the request itself says so.
        if (error instanceof WrongSecret) wrong = error;
      }
    }
    if (wrong !== undefined) throw wrong;
  };
}
