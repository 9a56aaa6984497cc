import { describe, expect, it } from 'vitest';
import { createSteadyClock } from '../../src/platform/steady-clock.ts';

const start = Date.UTC(2026, 0, 1);
const hour = 3_600_000;

/** A machine, and a database, whose clocks a test sets. */
function clocks({ machine = start }: { readonly machine?: number } = {}) {
  const at = { machine, steady: 500, database: start };
  const clock = createSteadyClock({ machine: () => at.machine, steady: () => at.steady });
  const pass = (milliseconds: number) => {
    at.machine += milliseconds;
    at.steady += milliseconds;
    at.database += milliseconds;
  };
  return { at, clock, pass, compare: () => clock.compare(at.database) };
}

describe('the clock of the service', () => {
  it.each([hour, -hour])('goes on evenly when the clock of the machine jumps by %i ms, and tells of it', (jump) => {
    const { at, clock, pass, compare } = clocks();
    expect(compare()).toBeUndefined();
    at.machine += jump;
    expect(clock.now()).toBe(start);
    pass(1000);
    expect(clock.now()).toBe(start + 1000);
    expect(compare()).toEqual({ machine: jump, database: 0 });
    expect(clock.now()).toBe(start + 1000);
  });

  it.each([hour, -hour])('begins with the time of the database where the machine is off by %i ms', (off) => {
    const { clock, compare } = clocks({ machine: start + off });
    expect(clock.now()).toBe(start + off);
    expect(compare()).toEqual({ machine: off, database: 0 });
    expect(clock.now()).toBe(start);
  });

  it('is not moved by a database that jumps alone', () => {
    const { at, clock, compare } = clocks();
    compare();
    at.database -= hour;
    expect(compare()).toEqual({ machine: 0, database: -hour });
    expect(clock.now()).toBe(start);
  });

  it('follows machine and database where it has stood still itself, as while the machine slept', () => {
    const { at, clock, compare } = clocks();
    compare();
    at.machine += hour;
    at.database += hour;
    expect(compare()).toBeUndefined();
    expect(clock.now()).toBe(start + hour);
  });

  it('leaves differences of seconds alone', () => {
    const { at, clock, compare } = clocks();
    compare();
    at.machine += 3000;
    at.database -= 1000;
    expect(compare()).toBeUndefined();
    expect(clock.now()).toBe(start);
  });
});
