/** How many deliveries to one sink may be on their way from one process, besides those of its sweeps. */
const maxUnderWay = 50;
/** After so many failures in a row a sink is left to the sweeps, for so long: milliseconds. */
const maxFailures = 5;
const downTime = 30_000;
/** A delivery lasts no longer: one that a runtime cut off is forgotten then: milliseconds. */
const longestDelivery = 60_000;

/** What one process knows of a sink: times and counts only, since requests on Workers must not wait for each other. */
export interface SinkState {
  /**
   * A delivery begins outside of a sweep.
   * @returns what to call at its end; undefined where it must not begin, since too many are under way or the sink is down
   */
  begin(): (() => void) | undefined;
  /** @returns whether it is taken again after it was not */
  took(): boolean;
  failed(): void;
  /** Of a sweep: whether anything was taken. */
  swept(taken: boolean): void;
  /** The last delivery failed. */
  readonly isFailing: () => boolean;
  /** The sweep before took nothing of what it tried. */
  readonly wasDown: () => boolean;
}

export function createSinkState(now: () => number): SinkState {
  const underWay = new Set<{ readonly until: number }>();
  let failures = 0;
  let downUntil = Number.NEGATIVE_INFINITY;
  let wasDown = false;
  return {
    begin() {
      if (now() < downUntil) return undefined;
      if (underWay.size >= maxUnderWay) {
        for (const one of underWay) if (one.until <= now()) underWay.delete(one);
        if (underWay.size >= maxUnderWay) return undefined;
      }
      const one = { until: now() + longestDelivery };
      underWay.add(one);
      return () => void underWay.delete(one);
    },
    took() {
      const isBack = failures > 0;
      failures = 0;
      downUntil = Number.NEGATIVE_INFINITY;
      return isBack;
    },
    failed() {
      failures += 1;
      if (failures >= maxFailures) downUntil = now() + downTime;
    },
    swept(taken) {
      wasDown = !taken;
    },
    isFailing: () => failures > 0,
    wasDown: () => wasDown,
  };
}
