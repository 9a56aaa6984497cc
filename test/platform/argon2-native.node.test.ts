// Node only: the native library does not load in workerd. It is compared with the WebAssembly that Workers run.

import { getRandomValues, randomInt } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import module from '#argon2.wasm';
import type { Argon2Input } from '../../src/crypto/argon2.ts';
import { createArgon2Native } from '../../src/platform/argon2-native.ts';
import { createArgon2Wasm } from '../../src/platform/argon2-wasm.ts';
import { hex, refused, smallest, vectors } from './argon2-vectors.ts';

const isThorough = inject('isThorough');
const owasp = { ...smallest, salt: new Uint8Array(16), memory: 19_456, iterations: 2 };

function randomInput(): Argon2Input {
  const parallelism = randomInt(1, 5);
  return {
    type: (['argon2d', 'argon2i', 'argon2id'] as const)[randomInt(3)] ?? 'argon2id',
    version: randomInt(2) === 0 ? 0x10 : 0x13,
    password: getRandomValues(new Uint8Array(randomInt(300))),
    salt: getRandomValues(new Uint8Array(randomInt(8, 65))),
    memory: randomInt(8 * parallelism, 200),
    iterations: randomInt(1, 5),
    parallelism,
    tagLength: randomInt(12, 65),
  };
}

describe('argon2-native', () => {
  const argon2 = createArgon2Native();

  test.each(vectors)('gives the tag of the reference: $name', async ({ input, tag }) => {
    expect(hex(await argon2(input))).toBe(tag);
  });

  const inputs = isThorough ? 300 : 60;
  test(`gives the same bytes as WebAssembly for ${inputs} random inputs`, async () => {
    const wasm = createArgon2Wasm(module);
    for (let round = 0; round < inputs; round += 1) {
      const input = randomInput();
      const [native, expected] = [hex(await argon2(input)), hex(await wasm(input))];
      expect(native, JSON.stringify(input)).toBe(expected);
    }
  });

  test.each(refused)('refuses %s', async (_, change) => {
    await expect(argon2({ ...smallest, ...change })).rejects.toBeInstanceOf(RangeError);
  });

  test('hashes off the main thread', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await argon2({ ...smallest, memory: 65_536, iterations: 4 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });

  const more = isThorough ? 100 : 10;
  test(`the process stays small through 20 logins at once and ${more} more`, async () => {
    await argon2(owasp);
    const before = process.memoryUsage.rss();
    let peak = before;
    const hash = async () => {
      await argon2(owasp);
      peak = Math.max(peak, process.memoryUsage.rss());
    };
    await Promise.all(Array.from({ length: 20 }, hash));
    for (let index = 0; index < more; index += 1) await hash();
    const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
    console.log(
      `memory of the process around ${20 + more} native hashes: ${mib(before)} MiB before, ${mib(peak)} MiB at most`,
    );
    // Three at once, 19 MiB each, and room for the garbage of the test runner.
    expect(peak - before).toBeLessThan(200 * 2 ** 20);
  });
});
