import { type Argon2, type Argon2Input, argon2Limits, assertArgon2Input } from '../crypto/argon2.ts';

const types = { argon2d: 0, argon2i: 1, argon2id: 2 } as const;

// One block for everything that goes in and out, the same for every hash.
const TAG = 0;
const SALT = TAG + argon2Limits.tagLength.max;
const PASSWORD = SALT + argon2Limits.saltLength.max;
const SCRATCH_SIZE = PASSWORD + argon2Limits.passwordLength;

// What the heap may grow to hold, in KiB: OWASP's parameters, and the most an imported hash may ask for.
const STEPS = [19_456, argon2Limits.memory] as const;
const SLACK = 4_096;

/**
 * Argon2 in WebAssembly, for Workers: the reference implementation, one instance for the isolate, made at the first hash.
 * A hash is synchronous, so hashes are serial and share one heap, which never shrinks: 19 MiB, or 83 MiB once a hash
 * of more than 19 MiB was met.
 * @param module compiled from `@phi-ag/argon2/argon2.wasm`
 * @param instantiate seam for tests, which look into the memory
 */
export function createArgon2Wasm(
  module: WebAssembly.Module,
  instantiate: (module: WebAssembly.Module) => WebAssembly.Instance = (it) => new WebAssembly.Instance(it),
): Argon2 {
  let hash: ((input: Argon2Input) => Uint8Array) | undefined;
  return async (input) => {
    assertArgon2Input(input);
    hash ??= start(instantiate(module));
    try {
      return hash(input);
    } catch (error) {
      // After a trap the heap is in an unknown state: the next hash starts a new instance.
      hash = undefined;
      throw error;
    }
  };
}

function start(instance: WebAssembly.Instance): (input: Argon2Input) => Uint8Array {
  const memory = memoryOf(instance);
  const argon2Hash = functionOf(instance, 'argon2_hash');
  const malloc = functionOf(instance, 'malloc');
  const free = functionOf(instance, 'free');
  functionOf(instance, '_initialize')();

  const scratch = allocate(SCRATCH_SIZE);
  let reserved = 0;

  function allocate(size: number): number {
    // The pointer comes as a signed 32-bit number.
    const pointer = malloc(size) >>> 0;
    if (pointer === 0) throw new Error('argon2.wasm is out of memory');
    return pointer;
  }

  // The allocator asks for a whole new block when no free one is large enough, so a heap that grew with each new size
  // would hold them all. Two steps, each with room for the small blocks, keep it to two.
  function reserve(kibibytes: number): void {
    if (kibibytes <= reserved) return;
    const step = STEPS.find((candidate) => kibibytes <= candidate) ?? argon2Limits.memory;
    free(allocate(step * 1_024 + SLACK));
    reserved = step;
  }

  // Growing the memory detaches its buffer: take a fresh view each time.
  const view = () => new Uint8Array(memory.buffer, scratch, SCRATCH_SIZE);

  return (input) => {
    reserve(input.memory);
    const type = types[input.type];
    try {
      view().set(input.salt, SALT);
      view().set(input.password, PASSWORD);
      const code = argon2Hash(
        ...[input.iterations, input.memory, input.parallelism],
        ...[scratch + PASSWORD, input.password.length, scratch + SALT, input.salt.length],
        ...[scratch + TAG, input.tagLength, 0, 0, type, input.version],
      );
      if (code !== 0) throw new Error(`argon2.wasm failed with code ${code}`);
      return view().slice(TAG, TAG + input.tagLength);
    } finally {
      view().fill(0);
      // The last block, from which anyone can compute the tag, is left on the stack. The smallest hash overwrites it.
      argon2Hash(1, 8, 1, scratch, 0, scratch, 8, 0, 4, 0, 0, type, input.version);
    }
  };
}

function memoryOf(instance: WebAssembly.Instance): WebAssembly.Memory {
  const exported = instance.exports['memory'];
  if (!(exported instanceof WebAssembly.Memory)) throw new TypeError('argon2.wasm exports no memory');
  return exported;
}

function functionOf(instance: WebAssembly.Instance, name: string): (...values: number[]) => number {
  const exported = instance.exports[name];
  if (typeof exported !== 'function') throw new TypeError(`argon2.wasm does not export ${name}`);
  return (...values) => Number(exported(...values));
}
