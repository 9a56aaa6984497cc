/**
 * What the size of RSA keys costs: `node bench/rsa-keys.ts [signatures]`, 200 by default. With WebCrypto, as both
 * runtimes sign; in CPU time, so that other work on the machine does not count. The ratios hold for other machines, the
 * milliseconds do not.
 */
import { webcrypto } from 'node:crypto';

const { subtle } = webcrypto;
const rounds = Number(process.argv[2] ?? 200);
const text = webcrypto.getRandomValues(new Uint8Array(600));
const name = 'RSASSA-PKCS1-v1_5';

/** Milliseconds of CPU, of all threads. */
async function cost(work: () => Promise<unknown>, times: number): Promise<number> {
  const begun = process.cpuUsage();
  for (let time = 0; time < times; time += 1) await work();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000 / times;
}

async function generate(modulusLength: number) {
  const algorithm = { name, hash: 'SHA-256', modulusLength, publicExponent: new Uint8Array([1, 0, 1]) };
  const pair = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new Error('RSA gives a pair of keys');
  return pair;
}

const column = (value: number) => `${value.toFixed(2)} ms`.padEnd(12);
console.log('bits  generate    sign        verify      signature   signatures per second and core');
for (const bits of [2048, 3072, 4096]) {
  const { privateKey, publicKey } = await generate(bits);
  const signature = await subtle.sign(name, privateKey, text);
  const made = await cost(() => generate(bits), 10);
  const signed = await cost(() => subtle.sign(name, privateKey, text), rounds);
  const verified = await cost(() => subtle.verify(name, publicKey, signature, text), rounds);
  const size = `${signature.byteLength} bytes`.padEnd(12);
  console.log(`${bits}  ${column(made)}${column(signed)}${column(verified)}${size}${(1000 / signed).toFixed(0)}`);
}
