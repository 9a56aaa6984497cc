import { type AuditEntry, auditRow, commandOrigin } from '../audit/audit.ts';
import type { Deps } from '../deps.ts';
import { addSigningKey } from './new-signing-key.ts';
import { openSigningKey } from './secret-guard.ts';
import { signingKeyState } from './signing-key-state.ts';
import { deleteSigningKeys, readSigningKeys, type SigningKeyRow } from './store.ts';

type Needs = Pick<Deps, 'config' | 'db' | 'keyring' | 'newId' | 'now'>;

/** What an operator does to a key: only commands lead here. */
const auditOf = (deps: Needs, type: AuditEntry['type'], command: string, kid: string) =>
  auditRow(deps, {
    type,
    result: 'success',
    userId: null,
    sessionId: null,
    origin: commandOrigin(command, `kid ${kid}`),
  });

const nextOrdinal = (rows: readonly SigningKeyRow[]) => (rows.at(-1)?.ordinal ?? 0) + 1;

/** The key that signs from some time on. */
export interface Rotation {
  readonly kid: string;
  /** Milliseconds. */
  readonly signsFrom: number;
  /** False where one was published already. */
  readonly isNew: boolean;
}

/**
 * Makes the next signing key, whatever the term of the present one.
 * @param isHasty whether it signs at once: then verifiers meet it before it has stood in the JWKS for the whole lead
 */
export async function rotateSigningKeys(deps: Needs, isHasty: boolean): Promise<Rotation> {
  const { config, db, now } = deps;
  const rows = await readSigningKeys(db);
  const published = rows.findLast((row) => row.signsFrom.getTime() > now());
  if (published !== undefined && !isHasty) {
    return { kid: published.kid, signsFrom: published.signsFrom.getTime(), isNew: false };
  }
  const signsFrom = isHasty ? now() : now() + config.signingKeyLead * 1000;
  const audit = (kid: string) => auditOf(deps, 'signing_key_added', isHasty ? 'rotate-keys --now' : 'rotate-keys', kid);
  return { kid: await addSigningKey(deps, nextOrdinal(rows), signsFrom, audit), signsFrom, isNew: true };
}

/**
 * Takes a key out of use for good: it leaves the JWKS, and nothing that it signed counts any longer. Where no other key
 * can sign, one is made first.
 * @returns undefined where there is no such key; else the name of the key that was made, if one was
 */
export async function retireSigningKey(
  deps: Needs,
  kid: string,
): Promise<{ replacement: string | undefined } | undefined> {
  const { config, db, now } = deps;
  const rows = await readSigningKeys(db);
  const key = rows.find((row) => row.kid === kid);
  if (key === undefined) return undefined;
  const others = rows.filter((row) => row !== key);
  const opened = await Promise.all(others.map((row) => openSigningKey(deps, row)));
  const canSign = others.some(
    (row, index) =>
      opened[index] !== undefined && signingKeyState(row, others, now(), config.accessTokenTtl) === 'signing',
  );
  const added = (name: string) => auditOf(deps, 'signing_key_added', 'retire-key', name);
  const replacement = canSign ? undefined : await addSigningKey(deps, nextOrdinal(rows), now(), added);
  await deleteSigningKeys(db, [key.ordinal], auditOf(deps, 'signing_key_retired', 'retire-key', kid));
  return { replacement };
}

/** What is known of each signing key, oldest first. */
export async function listSigningKeys({ config, db, keyring, now }: Omit<Needs, 'newId'>) {
  const rows = await readSigningKeys(db);
  return await Promise.all(
    rows.map(async (row) => ({
      kid: row.kid,
      state: signingKeyState(row, rows, now(), config.accessTokenTtl),
      signsFrom: row.signsFrom,
      opens: (await openSigningKey({ keyring }, row)) !== undefined,
    })),
  );
}
