import * as z from 'zod';
import type { Call } from '../call.ts';
import type { Deps } from '../deps.ts';
import { isMessageType, messages } from '../email/messages.ts';
import { renderMail } from '../email/render.ts';
import { isOfThisMail, sendTimeout } from '../mailer.ts';
import { describeError } from '../ops/log.ts';
import { maxAttempts } from './backoff.ts';
import { createDrain } from './drain.ts';
import { openPayload } from './outbox.ts';
import { isTooOld, postpone } from './postpone.ts';
import { claimOutbox, deleteOutbox, type OutboxRow, wakeMails } from './store.ts';

/** How long a claimed row is this relay's, longer than any attempt takes: milliseconds. */
const lease = 60_000;
/** How many rows are tried at a time, and for how long one sweep goes on. */
const batch = 10;
const sweepTime = 20_000;
/** After so many mails in a row that were not taken, who takes them counts as away. */
const maxFailures = 3;
const maxWoken = 1000;

/**
 * Carries out a task, in one statement that takes its row away (`takenTask`): so it is done once, however often it is
 * begun. Gives the rows that the statement wrote and that can be delivered at once.
 */
export type Task = (payload: unknown, row: OutboxRow) => Promise<readonly OutboxRow[]>;

export interface Relay {
  /** Delivers rows that were written a moment ago. Logs what fails, which is tried again later; does not reject. */
  deliver(rows: readonly OutboxRow[]): Promise<void>;
  /** Whether `drain` has anything to do: costs nothing, so it may be asked every few seconds. */
  isBehind(): boolean;
  /**
   * Goes on where a sweep left something, and asks who takes mails whether they are back. Logs what fails; does not
   * reject.
   */
  drain(): Promise<void>;
  /** Delivers what is due: what failed before, and what nobody came to deliver. Safe to run in many places at once. */
  sweep(): Promise<void>;
}

/** Has what was enqueued delivered once the answer is out. */
export function deliverAfter(
  { relay }: { readonly relay: Relay },
  call: Pick<Call, 'after'>,
  rows: readonly OutboxRow[],
): void {
  if (rows.length > 0) call.after(() => relay.deliver(rows));
}

/** Who delivers events: `events/relay.ts`. */
export type DeliverEvents = (rows: readonly OutboxRow[]) => Promise<void>;

type Needs = Pick<Deps, 'config' | 'db' | 'keyring' | 'log' | 'mailer' | 'now'>;

const payloadOf = z.object({ to: z.string(), locale: z.string(), data: z.unknown() });

/**
 * Delivers each row at least once, always with the same id: whoever takes it can tell a repeated one. A mail that was
 * taken and whose row could not be deleted goes out again.
 * @param tasks by the type of their rows
 * @param deliverEvents does not reject
 */
export function createRelay(deps: Needs, tasks: Readonly<Record<string, Task>>, deliverEvents: DeliverEvents): Relay {
  const { config, db, log, mailer, now } = deps;
  /** How many mails in a row were not taken, by nobody's fault but who takes them. */
  let failures = 0;

  async function took(): Promise<void> {
    const isBack = failures >= maxFailures;
    failures = 0;
    if (!isBack) return;
    drain.lookAgain();
    // What waits for hours after an outage of hours is due now. Nothing that may be under way.
    const until = now() + 2 * lease;
    try {
      while ((await wakeMails(db, { now: now(), until, limit: maxWoken })) === maxWoken);
    } catch (error) {
      log.warn('mails_not_woken', describeError(error));
    }
  }

  async function send(row: OutboxRow): Promise<void> {
    if (mailer === undefined) throw new Undeliverable('no_mailer');
    if (!isMessageType(row.type)) throw new Undeliverable('unknown_type');
    const { to, locale, data } = payloadOf.parse(await openPayload(deps, row));
    const message = messages[row.type].parse(data);
    await mailer.send({ to, ...renderMail(config, locale, row.type, message) }, row.id);
    // Once more, since a row that stays means a second mail.
    await deleteOutbox(db, row.id).catch(() => deleteOutbox(db, row.id));
  }

  async function carryOut(row: OutboxRow): Promise<readonly OutboxRow[]> {
    const task = Object.hasOwn(tasks, row.type) ? tasks[row.type] : undefined;
    if (task === undefined) throw new Undeliverable('unknown_type');
    return await task(await openPayload(deps, row), row);
  }

  /**
   * @param isProbe whether it only finds out if who takes mails is back: no attempt of the row's
   * @param attempts how many there are with this one. An instance that ends halfway still has counted it.
   * @returns whether it went well, or who takes mails is there and does not take this one
   */
  async function attempt(row: OutboxRow, attempts: number, isProbe = false): Promise<boolean> {
    // Whoever claims it next must not find it under way.
    if (row.nextAttemptAt.getTime() - now() < sendTimeout) return false;
    try {
      if (attempts > maxAttempts || isTooOld(row, now())) throw new Undeliverable('given_up');
      if (row.kind === 'task') await deliver(await carryOut(row));
      else await send(row);
      if (row.kind === 'email') await took();
      return true;
    } catch (error) {
      const isAway = row.kind === 'email' && !isOfThisMail(error) && !(error instanceof Undeliverable);
      if (isAway) failures += 1;
      // Where this fails too, the row is taken up when its lease is over.
      await postpone(deps, row, { attempts, isProbe: isProbe && isAway }, error).catch((second: unknown) =>
        log.error('outbox_unreachable', describeError(second)),
      );
      return isOfThisMail(error);
    }
  }

  async function deliver(rows: readonly OutboxRow[]): Promise<void> {
    const { events = [], others = [] } = Object.groupBy(rows, ({ kind }) => (kind === 'event' ? 'events' : 'others'));
    await Promise.all([deliverEvents(events), ...others.map((row) => attempt(row, 1))]);
    // What fails here is the database. A task that is carried out stays so.
    if (failures === 0) await drainLogged();
  }

  /** Batch after batch, one at least, until one is not full or fails as a whole, or the time is over. */
  async function sweepKinds(
    kinds: readonly ('email' | 'task')[],
    until: number,
    limit = batch,
  ): Promise<'ended' | 'all failed'> {
    do {
      const early = limit === 1 ? { early: now() + 2 * lease } : {};
      const rows = await claimOutbox(db, { kinds, limit, now: now(), leaseUntil: now() + lease, ...early });
      const outcomes = await Promise.all(rows.map((row) => attempt(row, row.attempts ?? 1, limit === 1)));
      if (outcomes.length < limit) return 'ended';
      if (!outcomes.includes(true)) return 'all failed';
    } while (now() < until);
    drain.lookAgain();
    return 'ended';
  }

  async function sweep(): Promise<void> {
    const until = now() + sweepTime;
    // A provider that takes none of them is down: the next sweep asks again. Tasks need none, and go on.
    if ((await sweepKinds(['email', 'task'], until)) === 'all failed') await sweepKinds(['task'], until);
  }

  const drain = createDrain({
    now,
    isFailing: () => failures >= maxFailures,
    probe: async () => void (await sweepKinds(['email'], now(), 1)),
    sweep,
  });

  const drainLogged = () =>
    drain.run().catch((error: unknown) => log.error('outbox_unreachable', describeError(error)));

  return {
    deliver,
    sweep,
    isBehind: drain.isDue,
    drain: drainLogged,
  };
}

/** It cannot be delivered here and now. */
class Undeliverable extends Error {
  override readonly name = 'Undeliverable';
  readonly code: 'no_mailer' | 'unknown_type' | 'given_up';

  constructor(code: Undeliverable['code']) {
    super(code);
    this.code = code;
  }
}
