import { describe, expect, inject, test } from 'vitest';
import module from '#argon2.wasm';
import type { Argon2 } from '../../src/crypto/argon2.ts';
import { createArgon2Wasm } from '../../src/platform/argon2-wasm.ts';
import { hex, refused, smallest, vectors } from './argon2-vectors.ts';

const encoder = new TextEncoder();
const owasp = { ...smallest, salt: new Uint8Array(16), memory: 19_456, iterations: 2 };

/** An adapter whose instances can be looked into. */
function observed(): { argon2: Argon2; instances: () => number; memory: () => Uint8Array } {
  const memories: WebAssembly.Memory[] = [];
  const argon2 = createArgon2Wasm(module, (it) => {
    const instance = new WebAssembly.Instance(it);
    if (instance.exports['memory'] instanceof WebAssembly.Memory) memories.push(instance.exports['memory']);
    return instance;
  });
  const memory = () => new Uint8Array(memories.at(-1)?.buffer ?? new ArrayBuffer(0));
  return { argon2, instances: () => memories.length, memory };
}

describe('argon2-wasm', () => {
  const argon2 = createArgon2Wasm(module);

  test.each(vectors)('gives the tag of the reference: $name', async ({ input, tag }) => {
    expect(hex(await argon2(input))).toBe(tag);
  });

  test.each(refused)('refuses %s before it starts an instance', async (_, change) => {
    const { argon2, instances } = observed();
    await expect(argon2({ ...smallest, ...change })).rejects.toBeInstanceOf(RangeError);
    expect(instances()).toBe(0);
  });

  test('hashes a password of 2 KiB', async () => {
    expect(await argon2({ ...smallest, password: new Uint8Array(2_048) })).toHaveLength(32);
  });

  test('leaves the bytes of the caller alone', async () => {
    const password = encoder.encode('password');
    await argon2({ ...smallest, password });
    expect(password).toEqual(encoder.encode('password'));
  });

  test('starts a new instance after a failure', async () => {
    let attempts = 0;
    const argon2 = createArgon2Wasm(module, (it) => {
      attempts += 1;
      if (attempts === 1) throw new Error('no memory');
      return new WebAssembly.Instance(it);
    });
    await expect(argon2(smallest)).rejects.toThrow('no memory');
    expect(await argon2(smallest)).toHaveLength(32);
  });
});

describe('memory of argon2-wasm', () => {
  const more = inject('isThorough') ? 100 : 10;
  test(`one instance serves 20 logins at once and ${more} more, within 20 MiB`, async () => {
    const { argon2, instances, memory } = observed();
    // One pass instead of two: it takes half of the time and the same memory.
    const hash = (index: number) =>
      argon2({ ...owasp, iterations: 1, password: encoder.encode('x'.repeat(index * 20)) });
    await hash(0);
    const first = memory().length;
    await Promise.all(Array.from({ length: 20 }, (_, index) => hash(index)));
    for (let index = 0; index < more; index += 1) await hash(index);
    console.log(`peak memory of argon2.wasm after ${21 + more} hashes: ${(memory().length / 2 ** 20).toFixed(2)} MiB`);
    expect(instances()).toBe(1);
    expect(memory().length).toBe(first);
    expect(first).toBeLessThan(20 * 2 ** 20);
  });

  test.each([
    [[19_456, 19_457, 40_000, 65_536, 64, 65_535, 19_456]],
    [[19_456, 44_000, 65_536]],
    [[30_000, 32_000, 65_536]],
    [[8, 16, 64, 1_024, 19_456, 20_000, 65_536]],
    [[65_536, 19_456, 65_536]],
  ])('imported hashes of %j KiB leave at most 84 MiB', async (sizes) => {
    const { argon2, instances, memory } = observed();
    for (const [index, size] of sizes.entries()) await argon2({ ...smallest, memory: size, tagLength: 64 - index });
    console.log(`peak memory of argon2.wasm after imported hashes: ${(memory().length / 2 ** 20).toFixed(2)} MiB`);
    expect(instances()).toBe(1);
    expect(memory().length).toBeLessThan(84 * 2 ** 20);
  });

  test.each(['argon2d', 'argon2i', 'argon2id'] as const)('nothing of a password is left after %s', async (type) => {
    const [one, other, third] = [observed(), observed(), observed()];
    const input = { ...owasp, type, memory: 1_024 };
    await one.argon2({ ...input, password: encoder.encode('correct horse battery staple') });
    await other.argon2({ ...input, password: new Uint8Array(0), salt: new Uint8Array(16).fill(9), parallelism: 4 });
    await third.argon2({ ...input, password: new Uint8Array(1_024).fill(7) });
    // Whatever was hashed, every byte of the memory is the same afterwards, the stack and the allocator's included.
    expect(Buffer.compare(one.memory(), other.memory())).toBe(0);
    expect(Buffer.compare(one.memory(), third.memory())).toBe(0);
  });
});
