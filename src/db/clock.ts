import type { Deps } from '../deps.ts';

/** What a process knows of the clock of its database. */
export interface DatabaseClock {
  /** The time there: milliseconds. Until a statement has told it, ahead by what the clocks of hosts may differ. */
  now(): number;
  /**
   * @param told the time there, as an answer says it
   * @param sentAt when its statement was sent, by the steady clock
   */
  learn(told: number, sentAt: number): void;
}

const tolerance = 60_000;

/** It goes on by the steady clock, so neither the jumps of this host's clock nor its error matter. */
export function createDatabaseClock({ now, steady }: Pick<Deps, 'now' | 'steady'>): DatabaseClock {
  let ahead: number | undefined;
  return {
    now: () => (ahead === undefined ? now() + tolerance : steady() + ahead),
    learn(told, sentAt) {
      const [min, max] = [told - steady(), told - sentAt];
      if (ahead === undefined || ahead < min || ahead > max) ahead = (min + max) / 2;
    },
  };
}
