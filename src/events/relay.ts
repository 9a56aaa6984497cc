import { minUuidv7 } from '../crypto/random.ts';
import type { Deps } from '../deps.ts';
import { describeError } from '../ops/log.ts';
import { longestWait } from '../outbox/backoff.ts';
import { createDrain } from '../outbox/drain.ts';
import type { OutboxRow } from '../outbox/store.ts';
import { endOutage, noteOutage } from './outage-store.ts';
import { createPublish } from './publish.ts';
import { createSinkState, type SinkState } from './sink-state.ts';
import { type ClaimedEvent, claimDueEvents, claimNewEvents, finishEvent, giveUpOldEvents, leaseTime } from './store.ts';

/**
 * How many users' events a sweep has on their way to one sink at a time: after a batch of which nothing was taken it looks
 * further, by turns at those that wait longest and at the newest, past users whose events are refused for a reason of
 * their own. So it does with a sink that is down, but less far: what is not tried stays due, and finds out when it is back.
 */
const batches = [5, 15, 45, 50] as const;
const batchesWhenDown = [5, 25] as const;
/** Whether a sink that failed is back, one event finds out. */
const probe = [1] as const;
/** For how long one call goes on: milliseconds. */
const longestWork = 20_000;
/** For how long one user's events are delivered before others are looked at: milliseconds. */
const longestChain = 2000;
/** How many events one that was delivered wakes. */
const maxWoken = 1000;
/** An outage is noted by a sweep, and the sweep before may have been the last that found the sink there: milliseconds. */
const outageMargin = 120_000;
/** It was written since the sweep before, most likely: whoever wrote it tried it, or nobody did. */
const isNew = ({ attempts }: ClaimedEvent) => attempts <= 2;
/** How many events that are too old one call gives up. */
const maxGivenUp = 1000;

export interface EventRelay {
  /** Delivers events that were written a moment ago. Logs what fails, which is tried again later; does not reject. */
  deliver(rows: readonly OutboxRow[]): Promise<void>;
  /** Delivers what is due, to each sink by itself. Safe to run in many places at once. */
  sweep(): Promise<void>;
  /** Whether `drain` has anything to do: costs nothing, so it may be asked every few seconds. */
  isBehind(): boolean;
  /** Goes on where a sweep left something, and asks sinks that failed whether they are back. Logs what fails; does not reject. */
  drain(): Promise<void>;
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
  const states = new Map<string, SinkState>();
  const newLease = () => ({ now: now(), until: now() + leaseTime });

  function stateOf(sink: string): SinkState {
    const state = states.get(sink) ?? createSinkState(now);
    states.set(sink, state);
    return state;
  }

  const publish = createPublish(deps, sinks, stateOf);

  /** Where this fails, what waits is due some time. */
  const noted = (sink: string, note: Promise<void>) =>
    note.catch((error: unknown) => log.warn('events_not_woken', { sink, ...describeError(error) }));
  const wake = (sink: string) => {
    drains.get(sink)?.lookAgain();
    // Nothing that may be under way: a claim ends within one lease, whoever's clock it goes by.
    const until = now() + 2 * leaseTime;
    return noted(sink, endOutage(db, { sink, now: now(), until, margin: outageMargin, limit: maxWoken }));
  };

  /**
   * Delivers an event and those that come after it.
   * @param until milliseconds: then those are left, to a sweep
   * @param isProbe whether the first finds out if the sink is back
   * @returns whether the first was taken
   */
  async function deliverFrom(first: ClaimedEvent, until: number, isProbe: boolean): Promise<boolean> {
    let event: ClaimedEvent | undefined = first;
    let taken = false;
    while (event !== undefined && (await publish(event, isProbe && event === first))) {
      taken = true;
      if (stateOf(event.sink).took() || event.lastError !== null) await wake(event.sink);
      event = await finishEvent(db, event, now() < until ? newLease() : undefined);
    }
    return taken;
  }

  /**
   * What fails here is the database: all of it is taken up again when its lease is over.
   * @param end told of each when it is done
   * @returns whether any was taken
   */
  async function deliverAll(
    events: readonly ClaimedEvent[],
    until: number,
    end: (id: string) => void = () => undefined,
    isProbe = false,
  ): Promise<boolean> {
    const outcomes = await Promise.allSettled(
      events.map((event) => deliverFrom(event, until, isProbe).finally(() => end(event.id))),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value);
  }

  /** What is left out costs no attempt: a sweep comes for it. @returns by id, what to call when it is no longer under way */
  function admit(rows: readonly OutboxRow[]): ReadonlyMap<string, () => void> {
    const admitted = new Map<string, () => void>();
    for (const { id, sink } of rows) {
      const end = stateOf(sink ?? '').begin();
      if (end !== undefined) admitted.set(id, end);
      else drains.get(sink ?? '')?.lookAgain();
    }
    return admitted;
  }

  async function sweepSink(sink: string, until: number, first?: readonly number[]): Promise<void> {
    const state = stateOf(sink);
    const limits = first ?? (state.wasDown() ? batchesWhenDown : batches);
    let failures = 0;
    let taken = false;
    let since: number | undefined;
    while (now() < until) {
      const limit = limits[failures];
      // The sink is down, or all its events are refused: the next sweep asks again.
      if (limit === undefined) break;
      const freshest = failures % 2 === 1;
      const events = await claimDueEvents(db, { sink, limit, freshest, early: limits === probe }, newLease());
      if (events.length === 0 && !freshest) break;
      since = Math.min(since ?? now(), ...events.filter(isNew).map(({ createdAt }) => createdAt.getTime()));
      const isTaken = await deliverAll(events, Math.min(until, now() + longestChain), undefined, limits === probe);
      taken ||= isTaken;
      failures = isTaken ? 0 : failures + 1;
    }
    if (now() >= until) drains.get(sink)?.lookAgain();
    if (since === undefined) return;
    state.swept(taken);
    if (!taken) await noted(sink, noteOutage(db, sink, since));
  }

  const drains = new Map(
    [...sinks.keys()].map((sink) => {
      const isFailing = () => stateOf(sink).isFailing();
      const sweep = (limits?: readonly number[]) => sweepSink(sink, now() + longestWork, limits);
      return [sink, createDrain({ now, isFailing, probe: () => sweep(probe), sweep: () => sweep(batches) })];
    }),
  );
  const drain = async (which: Iterable<string>) =>
    void (await Promise.all([...which].map((sink) => drains.get(sink)?.run())));

  return {
    isBehind: () => [...drains.values()].some((each) => each.isDue()),
    drain: () => drain(sinks.keys()).catch((error: unknown) => log.error('events_unreachable', describeError(error))),
    async deliver(rows) {
      if (rows.length === 0) return;
      const admitted = admit(rows);
      const end = (id: string) => admitted.get(id)?.();
      try {
        const events = admitted.size > 0 ? await claimNewEvents(db, [...admitted.keys()], newLease()) : [];
        const claimed = new Set(events.map(({ id }) => id));
        for (const id of admitted.keys()) if (!claimed.has(id)) end(id);
        // One that is back gets what has waited at once: the next sweep is up to a minute away.
        if (await deliverAll(events, now() + longestWork, end)) await drain(new Set(events.map(({ sink }) => sink)));
      } catch (error) {
        log.error('events_unreachable', describeError(error));
      } finally {
        for (const id of admitted.keys()) end(id);
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
      const firstId = minUuidv7(createdBefore);
      const names = [...sinks.keys()];
      return giveUpOldEvents(db, { createdBefore, firstId, now: now(), limit: maxGivenUp, sinks: names });
    },
  };
}
