import { leastUuidv7 } from '../crypto/random.ts';
import type { Deps } from '../deps.ts';
import { describeError } from '../ops/log.ts';
import { longestWait, mostAttempts, pauseAfter } from '../outbox/backoff.ts';
import { type OutboxRow, postponeOutbox } from '../outbox/store.ts';
import { openEvent } from './promise.ts';
import { EventUndelivered, publishTimeout } from './sink.ts';
import {
  type ClaimedEvent,
  claimDueEvents,
  claimNewEvents,
  finishEvent,
  giveUpOldEvents,
  leaseTime,
  wakeEvents,
} from './store.ts';

/** How many users' events are on their way to one sink at a time, and for how long one call goes on: milliseconds. */
const batch = 5;
const longestWork = 20_000;
/** For how long one user's events are delivered before others are looked at: milliseconds. */
const longestChain = 2000;
/** After so many batches of which nothing was taken, a sink is down: the next sweep asks again. */
const mostFailures = 3;
/** How many events one that was delivered wakes. */
const mostWoken = 1000;
/** How many events that are too old one call gives up. */
const mostGivenUp = 1000;

export interface EventRelay {
  /** Delivers events that were written a moment ago. Logs what fails, which is tried again later; does not reject. */
  deliver(rows: readonly OutboxRow[]): Promise<void>;
  /** Delivers what is due, to each sink by itself. Safe to run in many places at once. */
  sweep(): Promise<void>;
  /** Gives up what nobody took for three days. @returns how many events */
  giveUp(): Promise<number>;
}

type Needs = Pick<Deps, 'config' | 'db' | 'keyring' | 'log' | 'now' | 'sinks'>;

/**
 * Delivers each event to each of its sinks at least once, always with the same id, and those of one user in their order:
 * the next one is claimed by the statement that takes the delivered one away. What fails holds up what comes after it for
 * that user and that sink, and nothing else, until it is given up.
 */
export function createEventRelay(deps: Needs): EventRelay {
  const { db, log, now } = deps;
  const sinks = new Map(deps.sinks.map((sink) => [sink.name, sink]));
  const newLease = () => ({ now: now(), until: now() + leaseTime });

  async function postpone(event: ClaimedEvent, error: unknown): Promise<void> {
    const { id, type, sink, attempts } = event;
    const dead = attempts >= mostAttempts || now() - event.createdAt.getTime() > longestWait;
    const reason = describeError(error);
    log[dead ? 'error' : 'warn']('event_failed', { type, sink, outbox_id: id, attempts, dead, ...reason });
    const lastError = String(reason['error_code'] ?? reason['cause_code'] ?? reason['error']);
    await postponeOutbox(db, event, attempts, dead ? undefined : now() + pauseAfter(attempts), lastError);
  }

  /** @returns whether it was taken */
  async function publish(event: ClaimedEvent): Promise<boolean> {
    // Whoever claims it next must not find it under way.
    if (event.nextAttemptAt.getTime() - now() < publishTimeout) return false;
    try {
      const sink = sinks.get(event.sink);
      if (sink === undefined) throw new EventUndelivered('unknown_sink');
      // It ended every instance that tried it: each claim counts.
      if (event.attempts > mostAttempts) throw new EventUndelivered('given_up');
      await sink.publish(await openEvent(deps, event));
      return true;
    } catch (error) {
      await postpone(event, error);
      return false;
    }
  }

  /** Where this fails, they are due some time. */
  const wake = (sink: string, lastError: string) =>
    wakeEvents(db, { sink, lastError, now: now(), limit: mostWoken }).catch((error: unknown) =>
      log.warn('events_not_woken', { sink, ...describeError(error) }),
    );

  /**
   * Delivers an event and those that come after it.
   * @param until milliseconds: then those are left, to a sweep
   * @returns whether the first was taken
   */
  async function deliverFrom(first: ClaimedEvent, until: number): Promise<boolean> {
    let event: ClaimedEvent | undefined = first;
    let taken = false;
    while (event !== undefined && (await publish(event))) {
      taken = true;
      const { sink, lastError } = event;
      if (lastError !== null) await wake(sink, lastError);
      event = await finishEvent(db, event, now() < until ? newLease() : undefined);
    }
    return taken;
  }

  /** What fails here is the database: all of it is taken up again when its lease is over. */
  async function deliverAll(events: readonly ClaimedEvent[], until: number): Promise<boolean> {
    const outcomes = await Promise.allSettled(events.map((event) => deliverFrom(event, until)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value);
  }

  async function sweepSink(sink: string, until: number): Promise<void> {
    let failures = 0;
    do {
      const events = await claimDueEvents(db, { sink, limit: batch }, newLease());
      if (events.length === 0) return;
      failures = (await deliverAll(events, Math.min(until, now() + longestChain))) ? 0 : failures + 1;
    } while (failures < mostFailures && now() < until);
  }

  return {
    async deliver(rows) {
      if (rows.length === 0) return;
      try {
        const ids = rows.map(({ id }) => id);
        await deliverAll(await claimNewEvents(db, ids, newLease()), now() + longestWork);
      } catch (error) {
        log.error('events_unreachable', describeError(error));
      }
    },
    async sweep() {
      const until = now() + longestWork;
      const swept = await Promise.allSettled([...sinks.keys()].map((sink) => sweepSink(sink, until)));
      const failed = swept.find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
    giveUp() {
      const createdBefore = now() - longestWait;
      const firstId = leastUuidv7(createdBefore);
      const names = [...sinks.keys()];
      return giveUpOldEvents(db, { createdBefore, firstId, now: now(), limit: mostGivenUp, sinks: names });
    },
  };
}
