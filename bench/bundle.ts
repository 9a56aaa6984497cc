/**
 * `npm run check:bundle`: builds the Worker as `wrangler deploy` would, prints what it weighs and what dominates, and
 * fails where it is too heavy or compiles WebAssembly at run time, which Workers refuse.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const most = 300 * 1024;
/** Any use of WebAssembly but an instance of an imported module and its memory, and module bytes in whatever form. */
const compiles = /WebAssembly(?!\.(Instance|Memory)\b).{0,20}|AGFzbQ|\\0asm|\\x00asm|0, ?97, ?115, ?109/g;

const directory = mkdtempSync(join(tmpdir(), 'edge-auth-bundle-'));
try {
  execFileSync(
    process.execPath,
    [
      ...['node_modules/wrangler/bin/wrangler.js', 'deploy', '--dry-run', '--env', 'production'],
      ...['--outdir', directory, '--metafile', join(directory, 'meta.json')],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, WRANGLER_SEND_METRICS: 'false' } },
  );
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
  for (const line of wrong) console.error(`error: ${line}`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
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
