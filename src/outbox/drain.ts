/**
 * For how long rows may become due after those who take them are back, or after some were left out: milliseconds. What
 * may be under way is not woken, and comes to be due within two minutes.
 */
const lookTime = 150_000;
/** A run that lasts longer was cut off by the runtime: milliseconds. */
const longestRun = 60_000;

interface Work {
  readonly now: () => number;
  /** Whether the last that was tried failed. */
  readonly isFailing: () => boolean;
  /** Tries one row, to find out whether it is back. */
  readonly probe: () => Promise<void>;
  /** Delivers until nothing is due, or its time is over. */
  readonly sweep: () => Promise<void>;
}

/**
 * Goes on where the sweeps of each minute leave something, once at a time in a process. Times and flags alone, no shared
 * promise: requests on Workers must not wait for each other.
 */
export interface Drain {
  /** More is due, or will be soon. */
  lookAgain(): void;
  /** Whether there is anything to do. */
  isDue(): boolean;
  /** Costs nothing where there is not, and one row where something fails. */
  run(): Promise<void>;
}

export function createDrain({ now, isFailing, probe, sweep }: Work): Drain {
  let lookUntil = Number.NEGATIVE_INFINITY;
  let busyUntil = Number.NEGATIVE_INFINITY;
  /** More is left of a span only after the clock was set back. */
  const isWithin = (until: number, span: number) => until - now() > 0 && until - now() <= span;
  const isDue = () => !isWithin(busyUntil, longestRun) && (isFailing() || isWithin(lookUntil, lookTime));
  return {
    isDue,
    lookAgain() {
      lookUntil = now() + lookTime;
    },
    async run() {
      if (!isDue()) return;
      busyUntil = now() + longestRun;
      try {
        if (isFailing()) await probe();
        if (!isFailing()) await sweep();
      } finally {
        busyUntil = Number.NEGATIVE_INFINITY;
      }
    },
  };
}
