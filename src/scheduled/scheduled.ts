import type { Deps } from '../deps.ts';
import type { EventRelay } from '../events/relay.ts';
import { describeError, type LogFields } from '../ops/log.ts';
import type { ScheduledStep } from '../ops/metric-table.ts';
import { count } from '../ops/observation.ts';
import type { Relay } from '../outbox/relay.ts';
import { sweepEndings } from '../sessions/endings.ts';
import type { Revocation } from '../tokens/revocation.ts';
import type { SigningKeys } from '../tokens/signing-keys.ts';
import { claimLease, moveLease } from './lease-store.ts';
import { createRetention } from './retention.ts';

/** Longer than a run takes. One that lasts longer was cut off: another may begin. Milliseconds. */
const longestRun = 300_000;
/** For how long after a run began no other replica begins one: most of the minute between two. Milliseconds. */
const pause = 50_000;

export interface ScheduledOptions {
  /** What one replica is enough for: only where no other does it, now or within the same minute. */
  readonly alone?: boolean;
  /** Aborted where no further step is to begin. */
  readonly signal?: AbortSignal;
}

/** What has to be done from time to time, as the application sees it. */
export type RunScheduled = (options?: ScheduledOptions) => Promise<void>;

/** In the order in which they are done. */
type Steps = readonly (readonly [ScheduledStep, () => Promise<unknown>])[];

type Needs = Pick<Deps, 'config' | 'db' | 'log' | 'now'> & {
  readonly relay: Relay;
  readonly events: EventRelay;
  readonly signingKeys: SigningKeys;
  readonly revocation: Revocation;
};

/** The scheduled work: each step is bounded, logged with how long it took, and safe to run in many places at once. */
export function createScheduled(deps: Needs): RunScheduled {
  const { db, events, log, now, relay, revocation, signingKeys } = deps;
  const retention = createRetention(deps);
  /** What every replica does: they share the rows among them, and one that ends in the middle holds up none. */
  const relays: Steps = [
    ['relay_outbox', relay.sweep],
    ['relay_events', events.sweep],
  ];
  /** By itself, so that a replica that cannot reach the key-value store leaves it to one that can, at once. */
  const marks: Steps = [['repeat_revocations', revocation.repeat]];
  const others: Steps = [
    ['give_up_events', events.giveUp],
    ['rotate_signing_keys', signingKeys.rotate],
    ['note_endings', () => sweepEndings(deps)],
    ['delete_sessions', retention.deleteSessions],
    ['delete_one_time_tokens', retention.deleteOneTimeTokens],
    ['trim_audit_log', retention.trimAuditLog],
    ['delete_dead_mail', retention.deleteDeadMail],
  ];
  let busyUntil = Number.NEGATIVE_INFINITY;

  /** @returns what the work gave; undefined where it failed, which is logged and must not keep others from being done */
  async function timed<T>(step: ScheduledStep, work: () => Promise<T>, fields: (result: T) => LogFields | undefined) {
    const start = now();
    try {
      const result = await work();
      const more = fields(result);
      count('edge_auth_scheduled_steps_total', { step, result: 'ok' });
      if (more !== undefined) log.info('scheduled', { step, duration_ms: now() - start, ...more });
      return result;
    } catch (error) {
      count('edge_auth_scheduled_steps_total', { step, result: 'error' });
      log.error('scheduled_failed', { step, duration_ms: now() - start, ...describeError(error) });
      return undefined;
    }
  }

  /** @returns whether all were done */
  async function runSteps(which: Steps, signal: AbortSignal | undefined): Promise<boolean> {
    let isDone = true;
    for (const [step, work] of which) {
      if (signal?.aborted === true) return false;
      const result = await timed(
        step,
        async () => (await work()) ?? 'done',
        (done) => (typeof done === 'number' ? { done } : {}),
      );
      isDone &&= result !== undefined;
    }
    return isDone;
  }

  /** A replica that cannot do the work, or ends, gives the lease up: another one takes it. */
  async function runAlone(leaseName: string, which: Steps, signal: AbortSignal | undefined): Promise<void> {
    const start = now();
    const until = start + longestRun;
    if (
      (await timed(
        'claim_lease',
        () => claimLease(db, leaseName, start, until),
        () => undefined,
      )) !== true
    )
      return;
    const isDone = await runSteps(which, signal);
    // Where this fails, or never comes, the lease runs out by itself.
    const next = isDone ? Math.max(now(), start + pause) : now();
    await timed(
      'move_lease',
      () => moveLease(db, leaseName, until, next),
      () => undefined,
    );
  }

  return async ({ alone = false, signal } = {}) => {
    // A time and not a promise: requests on Workers must not wait for each other, and may be cut off in the middle.
    const left = busyUntil - now();
    // More is left only after the clock was set back.
    if (left > 0 && left <= longestRun) {
      log.warn('scheduled_skipped', { reason: 'still running' });
      return;
    }
    busyUntil = now() + longestRun;
    try {
      // The marks first: what a token may still do depends on them.
      if (alone) await runAlone('repeat_revocations', marks, signal);
      else await runSteps(marks, signal);
      await runSteps(relays, signal);
      if (alone) await runAlone('scheduled', others, signal);
      else await runSteps(others, signal);
    } finally {
      busyUntil = Number.NEGATIVE_INFINITY;
    }
  };
}
