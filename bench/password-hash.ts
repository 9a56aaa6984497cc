/**
 * What a password hash costs: `node bench/password-hash.ts [hashes]`, 100 by default.
 * Each implementation runs in a process of its own, so that its peak memory is its own. Wall time and throughput are of
 * 20 logins at once; CPU is that of all threads. The ratios hold for other machines, the milliseconds do not.
 */
import { spawnSync } from 'node:child_process';
import { argon2 as nodeArgon2, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import type { Argon2, Argon2Input } from '../src/crypto/argon2.ts';

const AT_ONCE = 20;
const owasp = {
  type: 'argon2id',
  version: 0x13,
  memory: 19_456,
  iterations: 2,
  parallelism: 1,
  tagLength: 32,
} as const;
const Measurement = z.object({ cpu: z.number(), wall: z.number(), idle: z.number(), peak: z.number() });

const implementations = new Map<string, () => Promise<Argon2>>([
  ['@node-rs/argon2 (Node)', async () => (await import('../src/platform/argon2-native.ts')).createArgon2Native()],
  [
    'argon2.wasm (Workers)',
    async () => {
      const { createArgon2Wasm } = await import('../src/platform/argon2-wasm.ts');
      return createArgon2Wasm((await import('#argon2.wasm')).default);
    },
  ],
  ['node:crypto', async () => nodeCrypto],
]);

async function nodeCrypto({ password, salt, memory, iterations, parallelism, tagLength }: Argon2Input) {
  const parameters = { message: password, nonce: salt, memory, passes: iterations, parallelism, tagLength };
  return promisify(nodeArgon2)('argon2id', parameters);
}

async function measure(argon2: Argon2, hashes: number): Promise<z.infer<typeof Measurement>> {
  const hash = () => argon2({ ...owasp, password: randomBytes(12), salt: randomBytes(16) });
  const idle = process.memoryUsage.rss();
  for (let round = 0; round < 3; round += 1) await hash();
  let left = hashes;
  const login = async () => {
    while (left > 0) {
      left -= 1;
      await hash();
    }
  };
  const started = performance.now();
  const cpu = process.cpuUsage();
  await Promise.all(Array.from({ length: AT_ONCE }, login));
  const { user, system } = process.cpuUsage(cpu);
  const wall = performance.now() - started;
  return {
    cpu: (user + system) / 1_000 / hashes,
    wall: wall / hashes,
    idle,
    peak: process.resourceUsage().maxRSS * 1_024,
  };
}

const [name, hashes = '100'] = process.argv.slice(2);
const chosen = implementations.get(name ?? '');
if (chosen !== undefined) {
  console.log(JSON.stringify(await measure(await chosen(), Number(hashes))));
} else {
  const results = [...implementations.keys()].map((implementation) => {
    const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), implementation, name ?? hashes]);
    if (child.status !== 0) throw new Error(`${implementation}: ${child.stderr}`);
    return { implementation, ...Measurement.parse(JSON.parse(child.stdout.toString())) };
  });
  const base = results[0];
  const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
  console.table(
    results.map(({ implementation, cpu, wall, idle, peak }) => ({
      implementation,
      'CPU ms': Number(cpu.toFixed(1)),
      'CPU ratio': Number((cpu / (base?.cpu ?? cpu)).toFixed(2)),
      'wall ms': Number(wall.toFixed(1)),
      'hashes/s': Math.round(1_000 / wall),
      'idle MiB': mib(idle),
      'peak MiB': mib(peak),
    })),
  );
}
