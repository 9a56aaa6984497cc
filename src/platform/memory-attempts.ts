import { toMilliseconds } from '../kv.ts';
import {
  type AttemptOperation,
  type AttemptResult,
  type Counter,
  type FailOperation,
  type ForgiveOperation,
  longestAttempt,
} from '../kv-attempts.ts';
import { createPruning } from './memory-pruning.ts';

/** Times in milliseconds. */
interface State {
  readonly failures: number;
  /** How many of them are under way, and until when that is believed. */
  readonly pending: number;
  readonly lease: number;
  /** Of the first failure. */
  readonly since: number;
  /** Locked before this. */
  readonly until: number;
  readonly forgetAt: number;
  /** What stood at the reset key. */
  readonly reset: string;
}

/** Counters of failures: what the script in `attempt-scripts.ts` does in Redis. */
export function createAttempts(capacity: number) {
  const states = new Map<string, State>();
  const prune = createPruning(capacity);

  function makeRoom(time: number): void {
    for (const [key, { forgetAt }] of states) if (forgetAt <= time) states.delete(key);
    if (states.size < capacity) return;
    // What is locked stays longest: a flood of other keys shall not buy anyone new tries.
    const target = Math.floor(capacity * 0.9);
    for (const spareLocked of [true, false]) {
      for (const [key, { until }] of states) {
        if (states.size <= target) return;
        if (!(spareLocked && until > time)) states.delete(key);
      }
    }
  }

  function write(key: string, state: State, time: number): void {
    // Moves to the end: the order of the map is the order of last use.
    states.delete(key);
    if (prune.isDue(states.size)) {
      makeRoom(time);
      prune.done(states.size);
    }
    states.set(key, state);
  }

  function read(key: string, time: number, reset: string | null): State {
    const state = states.get(key);
    const isVoid = state === undefined || state.forgetAt <= time || (reset !== null && state.reset !== reset);
    if (isVoid) return { failures: 0, pending: 0, lease: 0, since: time, until: 0, forgetAt: 0, reset: reset ?? '' };
    return state.lease > time ? state : { ...state, pending: 0 };
  }

  return {
    /** @param reset what stands at the reset key */
    attempt({ counters, now }: AttemptOperation, reset: string | null): AttemptResult {
      const found = counters.map((counter) => ({ counter, state: read(counter.key, now, reset) }));
      const locked = found.map(({ state }) => state).filter((state) => state.until > now);
      if (locked.length > 0) {
        const isPending = locked.every(({ pending }) => pending > 0);
        const until = Math.max(...locked.map((state) => state.until));
        return { allowed: false, isPending, until, failures: found.map(({ state }) => state.failures) };
      }
      const failures = found.map(({ counter, state }) => {
        const next = afterAttempt(counter, state, now);
        write(counter.key, next, now);
        return next.failures;
      });
      return { allowed: true, isPending: false, until: 0, failures };
    },

    /** What the shared store said of an attempt: failures and locks that are known here already stay. */
    learn(
      { counters, now }: AttemptOperation,
      { allowed, isPending, until, failures }: AttemptResult,
      reset: string | null,
    ): void {
      // It is told again, once the others have turned out to be right or wrong.
      if (isPending) return;
      for (const [index, counter] of counters.entries()) {
        const told = failures[index] ?? 0;
        if (told === 0) continue;
        const state = read(counter.key, now, reset);
        const isLocked = told >= counter.failures;
        const toldUntil = !isLocked ? 0 : allowed ? now + pauseAfter(counter, told) : until;
        const under = allowed ? underWay(state, now) : {};
        const next = {
          ...state,
          ...under,
          failures: Math.max(state.failures, told),
          until: Math.max(state.until, toldUntil),
        };
        const forgetAt = Math.max(state.since + toMilliseconds(counter.memory), next.until);
        write(counter.key, { ...next, forgetAt }, now);
      }
    },

    forgive({ key, all = false }: ForgiveOperation): boolean {
      const state = states.get(key);
      if (state === undefined) return false;
      const pending = Math.max(state.pending - 1, 0);
      const failures = all ? Math.min(state.failures - 1, pending) : state.failures - 1;
      if (failures <= 0) return states.delete(key);
      states.set(key, { ...state, failures, pending, until: 0 });
      return true;
    },

    fail({ key }: FailOperation): boolean {
      const state = states.get(key);
      if (state === undefined || state.pending === 0) return false;
      states.set(key, { ...state, pending: state.pending - 1 });
      return true;
    },

    clear: () => states.clear(),
  };
}

/** How long so many failures lock, in milliseconds. */
function pauseAfter(counter: Counter, failures: number): number {
  const pause = toMilliseconds(counter.pause) * 2 ** (failures - counter.failures);
  return Math.min(pause, toMilliseconds(counter.longestPause));
}

/** With one more attempt whose outcome is not known. */
const underWay = ({ pending }: State, now: number) => ({ pending: pending + 1, lease: now + longestAttempt });

function afterAttempt(counter: Counter, state: State, now: number): State {
  const failures = state.failures + 1;
  const until = failures >= counter.failures ? now + pauseAfter(counter, failures) : 0;
  const forgetAt = Math.max(state.since + toMilliseconds(counter.memory), until);
  return { ...state, ...underWay(state, now), failures, until, forgetAt };
}
