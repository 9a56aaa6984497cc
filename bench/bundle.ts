/**
 * `npm run check:bundle`: builds the Worker as `wrangler deploy` would, prints what it weighs, what dominates and how
 * long it takes to start, and fails where that is too much or where it compiles WebAssembly at run time, which Workers refuse.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/**
 * Workers take 3 MB, and 10 where they are paid for. What counts is what runs at the start: the tables of phone numbers, 50 KiB
 * of this, are code that runs with the first number alone (`accounts/phone.ts`).
 */
const most = 400 * 1024;
/** Any use of WebAssembly but an instance of an imported module and its memory, and module bytes in whatever form. */
const compiles = /WebAssembly(?!\.(Instance|Memory)\b).{0,20}|AGFzbQ|\\0asm|\\x00asm|0, ?97, ?115, ?109/g;

/** How long the code may run before the first request, in milliseconds; Workers allow a second. */
const longestStart = 400;
const wrangler = 'node_modules/wrangler/bin/wrangler.js';
const variants: Readonly<Record<string, readonly string[]>> = {
  'with Neon': ['--env', 'production'],
  'with Hyperdrive': ['--config', 'wrangler.hyperdrive.toml'],
};

for (const [name, args] of Object.entries(variants)) {
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-bundle-'));
  try {
    console.log(`The Worker ${name}`);
    for (const line of [...weigh(args, directory), ...time(args, directory)]) {
      console.error(`error: ${line}`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function run(args: readonly string[]): string {
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_WRITE_LOGS: 'false', NO_COLOR: '1' };
  return execFileSync(process.execPath, [wrangler, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env }).toString();
}

/** Builds and weighs it. @returns what is wrong */
function weigh(args: readonly string[], directory: string): string[] {
  run(['deploy', '--dry-run', ...args, '--outdir', directory, '--metafile', join(directory, 'meta.json')]);
  const files = readdirSync(directory).filter((file) => /\.(js|wasm)$/.test(file));
  let total = 0;
  const wrong: string[] = [];
  for (const file of files) {
    const bytes = readFileSync(join(directory, file));
    const weight = gzipSync(bytes, { level: 9 }).length;
    total += weight;
    console.log(`${file}: ${kib(bytes.length)}, gzip ${kib(weight)}`);
    if (file.endsWith('.js')) {
      const found = bytes.toString('utf8').match(compiles) ?? [];
      if (found.length > 0) wrong.push(`${file} compiles WebAssembly at run time: ${found.join(', ')}`);
    }
  }
  console.log(`together, gzip: ${kib(total)} of at most ${kib(most)}`);
  console.log(`what dominates: ${dominating(join(directory, 'meta.json'))}`);
  if (total > most) wrong.push('the bundle is too heavy');
  if (files.filter((file) => file.endsWith('.wasm')).length !== 1)
    wrong.push('expected exactly one WebAssembly module');
  return wrong;
}

/** Starts it in workerd and reads from the profile how long its code ran. Three tries, since the machine is not ours alone. */
function time(args: readonly string[], directory: string): string[] {
  const times: number[] = [];
  while (times.length < 3 && !times.some((each) => each <= longestStart)) {
    const profile = join(directory, 'startup.cpuprofile');
    // As one word: it begins with a dash.
    const output = run(['check', 'startup', ...args, `--args=${args.join(' ')}`, '--outfile', profile]);
    const active = /Active: ([\d.]+) ms/.exec(output)?.[1];
    if (active === undefined) return ['wrangler did not say how long it started'];
    times.push(Number(active));
  }
  const best = Math.min(...times);
  console.log(`start in workerd: ${best} ms of at most ${longestStart} ms`);
  return best > longestStart ? ['it starts too slowly'] : [];
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

/** The heaviest packages, before compression. */
function dominating(metafile: string): string {
  const { outputs }: { outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> } = JSON.parse(
    readFileSync(metafile, 'utf8'),
  );
  const weights = new Map<string, number>();
  for (const { inputs } of Object.values(outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? 'src';
      weights.set(name, (weights.get(name) ?? 0) + bytesInOutput);
    }
  }
  const heaviest = [...weights].toSorted(([, a], [, b]) => b - a).slice(0, 8);
  return heaviest.map(([name, bytes]) => `${name} ${kib(bytes)}`).join(', ');
}
