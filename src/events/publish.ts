import type { Deps } from '../deps.ts';
import { describeError } from '../ops/log.ts';
import { longestWait, maxAttempts, pauseAfter, probePause } from '../outbox/backoff.ts';
import { postponeOutbox } from '../outbox/store.ts';
import { openEvent } from './event-rows.ts';
import { EventUndelivered, publishTimeout, type Sink } from './sink.ts';
import type { SinkState } from './sink-state.ts';
import type { ClaimedEvent } from './store.ts';

type Needs = Pick<Deps, 'config' | 'db' | 'keyring' | 'log' | 'now'>;

/**
 * Hands one claimed event to its sink, and notes where it was not taken; it gives whether it was. As a probe it costs the
 * event no attempt.
 */
export function createPublish(
  deps: Needs,
  sinks: ReadonlyMap<string, Sink>,
  stateOf: (sink: string) => SinkState,
): (event: ClaimedEvent, isProbe: boolean) => Promise<boolean> {
  const { db, log, now } = deps;

  async function postpone(event: ClaimedEvent, isProbe: boolean, error: unknown): Promise<void> {
    const { id, type, sink } = event;
    const attempts = event.attempts - (isProbe ? 1 : 0);
    const pause = isProbe ? probePause : pauseAfter(attempts);
    const dead = attempts >= maxAttempts || now() - event.createdAt.getTime() > longestWait;
    const reason = describeError(error);
    log[dead ? 'error' : 'warn']('event_failed', { type, sink, outbox_id: id, attempts, dead, ...reason });
    const lastError = String(reason['error_code'] ?? reason['cause_code'] ?? reason['error']);
    await postponeOutbox(db, event, attempts, { at: now() + (dead ? 0 : pause), dead }, lastError);
  }

  return async function publish(event: ClaimedEvent, isProbe: boolean): Promise<boolean> {
    // Whoever claims it next must not find it under way.
    if (event.nextAttemptAt.getTime() - now() < publishTimeout) return false;
    try {
      const sink = sinks.get(event.sink);
      if (sink === undefined) throw new EventUndelivered('unknown_sink');
      // It ended every instance that tried it: each claim counts.
      if (event.attempts > maxAttempts) throw new EventUndelivered('given_up');
      const opened = await openEvent(deps, event);
      await sink.publish(opened).catch((error: unknown) => {
        stateOf(event.sink).failed();
        throw error;
      });
      return true;
    } catch (error) {
      await postpone(event, isProbe, error);
      return false;
    }
  };
}
