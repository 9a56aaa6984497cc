import { type KeyValue, KeyValueUnavailable, type Operation } from '../kv.ts';
import { startPatience } from './patience.ts';

interface DeadlineOptions {
  /** How long a call may take, in milliseconds. */
  readonly milliseconds?: number;
  /** The same for what no client waits for: sums, and marks that are written again. */
  readonly unhurriedMilliseconds?: number;
  /** How long the store is left alone after a failure, in milliseconds. */
  readonly pause?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Told when the store fails, and why; when it then refuses for another reason; and when it serves again. */
  readonly onStateChange?: OnStateChange;
}

/** @param code of `KeyValueUnavailable`, where the store is down */
export type OnStateChange = (state: 'up' | 'down', code?: string) => void;

/** Codes of a store that has not answered: which of them it was says little. */
const silent: ReadonlySet<string> = new Set(['timeout', 'unreachable', 'paused', 'closed']);

/**
 * Bounds what a slow or dead store costs. A call that is not answered in time rejects with `KeyValueUnavailable`; time in
 * which our own event loop was held up is not the store's (`startPatience`). After
 * a failure the store is not asked for a while: calls reject at once, so a store that swallows everything costs one wait
 * a second and not one a request. Then one call is let through to probe it.
 *
 * The operations of a call that was not answered in time may still be carried out. A call that no client waits for has
 * more time, and that it fails says nothing: what is slow because there is much of it must not cost others their limits.
 */
export function withDeadline(
  kv: KeyValue,
  {
    milliseconds = 300,
    unhurriedMilliseconds = 2000,
    pause = 1000,
    now = Date.now,
    onStateChange = () => {},
  }: DeadlineOptions = {},
): KeyValue {
  let state: 'up' | 'down' = 'up';
  let pausedUntil = 0;

  let told: string | undefined;

  function report(next: 'up' | 'down', code?: string): void {
    const isNews = code !== undefined && code !== told && !silent.has(code);
    if (state === next && !isNews) return;
    state = next;
    told = code;
    if (code === undefined) onStateChange(next);
    else onStateChange(next, code);
  }

  const isPaused = () => {
    const left = state === 'down' ? pausedUntil - now() : 0;
    // More than a pause is left only after the clock was set back.
    return left > 0 && left <= pause;
  };

  async function guardUnhurried<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    if (isPaused()) throw new KeyValueUnavailable('paused');
    return await inTime(call(), unhurriedMilliseconds);
  }

  async function guard<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    if (state === 'down') {
      if (isPaused()) throw new KeyValueUnavailable('paused');
      // This call is the probe. Its turn ends with the clock and not with its answer, which may never come: a Worker
      // drops the promises of a request whose client has gone.
      pausedUntil = now() + pause;
    }
    try {
      const answer = await inTime(call(), milliseconds);
      report('up');
      return answer;
    } catch (error) {
      // Anything else is a mistake of the caller and says nothing about the store.
      if (error instanceof KeyValueUnavailable) {
        pausedUntil = now() + pause;
        report('down', error.code);
      }
      throw error;
    }
  }

  return {
    kind: kv.kind,
    run: (operations) => (isUnhurried(operations) ? guardUnhurried : guard)(() => kv.run(operations)),
    ping: () => guard(() => kv.ping()),
    close: () => kv.close(),
  };
}

const isUnhurried = (operations: readonly Operation[]) =>
  operations.length > 0 &&
  operations.every(
    (operation) =>
      operation.type === 'add' || operation.type === 'sums' || (operation.type === 'set' && operation.unhurried),
  );

/** The race keeps listening to the promise it gave up, so a late rejection is never an unhandled one. */
async function inTime<Answer>(answer: Promise<Answer>, milliseconds: number): Promise<Answer> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const stop = startPatience(milliseconds, () => reject(new KeyValueUnavailable('timeout')));
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    stop();
  }
}
