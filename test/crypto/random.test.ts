import { describe, expect, it } from 'vitest';
import { derivedUuidv7, timeOfUuidv7, uuidv7 } from '../../src/crypto/random.ts';

describe('a UUIDv7', () => {
  it('carries its time, version 7 and variant 10 (RFC 9562 section 5.7)', () => {
    for (let count = 0; count < 1000; count += 1) {
      // The example of appendix A.6 was made at this time.
      expect(uuidv7(0x017f22e279b0)).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  it('is random in each of its other 74 bits', () => {
    const ids = Array.from({ length: 2000 }, () => BigInt(`0x${uuidv7(0).replaceAll('-', '')}`));
    expect(new Set(ids).size).toBe(ids.length);
    const fixed = [...Array.from({ length: 48 }, (_, bit) => 127 - bit), 79, 78, 77, 76, 63, 62];
    for (let bit = 0; bit < 128; bit += 1) {
      const ones = ids.filter((id) => (id >> BigInt(bit)) & 1n).length;
      // Outside of these bounds once in 10^20 runs.
      if (!fixed.includes(bit)) expect(Math.abs(ones - 1000), `bit ${bit}`).toBeLessThan(220);
    }
  });

  it.each([0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, Date.UTC(2026, 0), 2 ** 40 + 12_345, 2 ** 48 - 1])(
    'tells its time: %i',
    (time) => {
      expect(timeOfUuidv7(uuidv7(time))).toBe(time);
    },
  );

  it('tells whole milliseconds of a time with a fraction', () => {
    expect(timeOfUuidv7(uuidv7(1_700_000_000_000.75))).toBe(1_700_000_000_000);
  });

  it('stands after all of an earlier time, as text', () => {
    const start = 2 ** 32 * 400 - 500;
    const ids = Array.from({ length: 1000 }, (_, index) => uuidv7(start + index));
    expect(ids.toSorted()).toEqual(ids);
  });

  it('is the same for the same hash, with its time', () => {
    const hash = Uint8Array.from({ length: 32 }, (_, byte) => byte * 7);
    const id = derivedUuidv7(0x017f22e279b0, hash);
    expect(id).toBe('017f22e2-79b0-7a31-b83f-464d545b6269');
    expect(derivedUuidv7(0x017f22e279b0, hash)).toBe(id);
    expect(hash[0]).toBe(0);
  });
});
