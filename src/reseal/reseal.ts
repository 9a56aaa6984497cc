import type { Deps } from '../deps.ts';
import { createHashRenewal } from './renew.ts';
import { countOld } from './store.ts';
import { type Moved, movePayloads, moveSigningKeys, moveTokens, moveUsers } from './tables.ts';

/** How often a table is gone through: the service may hold a row, or change it, while it is moved. */
const rounds = 5;

export type Table = 'users' | 'one_time_tokens' | 'outbox' | 'signing_keys';

export interface ResealResult {
  /** Of each table: how many rows were moved, are left under an older secret, and of these cannot be opened. */
  readonly tables: Readonly<Record<Table, { moved: number; left: number; unreadable: number }>>;
  /** Accounts whose address another account has under the newest secret. */
  readonly taken: readonly string[];
  /** Tasks that the service has yet to do: users stay where they are until then. */
  readonly waitingTasks: number;
  /** Links whose index nobody can tell: they end by themselves. */
  readonly strays: number;
}

/**
 * Moves everything that older secrets sealed or indexed to the newest one, in batches, while the service runs: each row
 * is written only where nobody has changed it since it was read. What is moved is not looked at again, so that it may be
 * broken off and begun anew at any time.
 * @param pause waits before the next look at tasks that the service has to do first
 * @param patience how often it looks
 */
export async function reseal(
  deps: Pick<Deps, 'config' | 'db' | 'keyring'>,
  pause: () => Promise<void>,
  patience: number,
): Promise<ResealResult> {
  const { db, keyring, config } = deps;
  const newest = keyring.newest.id;
  const taken = new Set<string>();
  const renewHash = await createHashRenewal(keyring, config.secrets);

  const keys = await moveSigningKeys(deps);
  const payloads = await movePayloads(deps);
  // A task looks its account up by the index of the secret that it was written under.
  let old = await countOld(db, newest);
  for (let looks = 0; old.tasks > 0 && looks < patience; looks += 1) {
    await pause();
    old = await countOld(db, newest);
  }
  const isFree = old.tasks === 0;
  const users = { moved: 0, unreadable: 0 };
  for (let round = 0; isFree && round < rounds && old.users > users.unreadable + taken.size; round += 1) {
    add(users, await moveUsers(deps, renewHash, (id) => taken.add(id)));
    old = await countOld(db, newest);
  }
  const tokens = await moveTokens(deps, renewHash);
  // What the service enqueued meanwhile, and tasks that have become others.
  add(payloads, await movePayloads(deps));
  const left = await countOld(db, newest);
  return {
    tables: {
      users: { ...users, left: left.users },
      one_time_tokens: { moved: tokens.moved, unreadable: tokens.unreadable, left: left.tokens },
      outbox: { ...payloads, left: left.outbox },
      signing_keys: { ...keys, left: left.keys },
    },
    taken: [...taken],
    waitingTasks: left.tasks,
    strays: tokens.strays,
  };
}

/** A later round meets those again that cannot be opened. */
function add(sum: Moved, { moved, unreadable }: Moved): void {
  sum.moved += moved;
  sum.unreadable = unreadable;
}
