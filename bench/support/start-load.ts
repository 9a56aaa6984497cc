import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Sent } from './load.ts';

/**
 * Starts `load.ts` in a process of its own.
 * @returns `loading` resolves when every client is signed in, `done` with every request when the time is over,
 * or after `stop`
 */
export function startLoad(base: string, seconds: number, clients: number, pause: number, ca?: string) {
  const numbers = [seconds, clients, pause].map(String);
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'load.ts'), base, ...numbers, ...(ca === undefined ? [] : [ca])],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  let output = '';
  const loading = Promise.withResolvers<void>();
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
    if (output.includes('loading\n')) loading.resolve();
  });
  const done = new Promise<Sent[]>((resolve, reject) => {
    child.once('close', (code) => {
      const failure = new Error(`The load ended with ${code}: ${output.slice(0, 500)}`);
      loading.reject(failure);
      if (code !== 0) return reject(failure);
      const lines = output.split('\n').filter((line) => line.startsWith('{'));
      return resolve(lines.map((line): Sent => JSON.parse(line)));
    });
  });
  done.catch(() => undefined);
  return { loading: loading.promise, done, stop: () => child.stdin.end() };
}

/** How often each status and each error came. */
export function tally(sent: readonly Sent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, error } of sent) {
    const name = error ?? String(status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
