/** Times that are no further apart than this agree: milliseconds. */
const agreement = 5000;

export interface SteadyClock {
  /** Milliseconds since the epoch. Goes on evenly, whatever the clock of this machine does. */
  now(): number;
  /**
   * Compares it with the database, which all replicas share. Two of three decide: where this machine's clock and the
   * database agree, or nothing has been compared before, the database is right.
   * @param database what its clock says now: milliseconds since the epoch
   * @returns by how much this machine's clock and the database's are off, in milliseconds; undefined where they are not
   */
  compare(database: number): { readonly machine: number; readonly database: number } | undefined;
}

interface Sources {
  /** The clock of this machine, which may be set: milliseconds since the epoch. */
  readonly machine?: () => number;
  /** Milliseconds since whenever: never set back, though it may stand still while the machine sleeps. */
  readonly steady?: () => number;
}

/** A clock that durations hold by: locks, leases, grace windows and terms neither end early nor last longer. */
export function createSteadyClock({ machine = Date.now, steady = () => performance.now() }: Sources = {}): SteadyClock {
  let offset = machine() - steady();
  let isCompared = false;
  const now = () => Math.floor(steady() + offset);
  const agree = (one: number, other: number) => Math.abs(one - other) <= agreement;

  return {
    now,
    compare(database) {
      const own = now();
      const onMachine = machine();
      if (!agree(own, database) && (!isCompared || agree(onMachine, database))) offset = database - steady();
      isCompared = true;
      const off = { machine: onMachine - now(), database: database - now() };
      return agree(off.machine, 0) && agree(off.database, 0) ? undefined : off;
    },
  };
}
