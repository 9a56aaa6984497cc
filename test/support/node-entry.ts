import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { compileCache } from './compile-cache.ts';

const entry = join(import.meta.dirname, '../../src/node.ts');

/** Starts the entry with exactly these variables. */
export function launch(variables: Record<string, string>) {
  const child = spawn(process.execPath, [entry], { env: { PATH: process.env['PATH'], ...compileCache, ...variables } });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('ready: ')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void exited.then(() => reject(new Error(`It ended: ${output}`)));
  });
  ready.catch(() => undefined);
  const kill = (signal: NodeJS.Signals) => child.kill(signal);
  const end = async () => {
    kill('SIGKILL');
    await exited;
  };
  return { pid: child.pid, ready, exited, output: () => output, kill, end };
}

/** The same, and ends it with the test. */
export function start(variables: Record<string, string>) {
  const started = launch(variables);
  onTestFinished(started.end);
  return started;
}

/** Below the range from which the system takes ports, and not one that others are known to use. */
let next = 21_000 + Math.floor(Math.random() * 5000);
export const freePort = () => {
  next += 1;
  return next;
};
