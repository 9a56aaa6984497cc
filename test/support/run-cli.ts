import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { testSecret } from './secret.ts';

const entry = join(import.meta.dirname, '../../src/cli/main.ts');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts `npm run cli -- <args>` with the tests' secret and these variables. */
export function startCli(args: readonly string[], variables: Readonly<Record<string, string>>) {
  const env = { PATH: process.env['PATH'], AUTH_SECRET: testSecret, ...variables };
  const child = spawn(process.execPath, [entry, ...args], { env, stdio: 'pipe' });
  // Whoever ends early reads no further.
  child.stdin.on('error', () => undefined);
  const collect = async (stream: Readable) => (await stream.setEncoding('utf8').toArray()).join('');
  const ended = Promise.all([
    new Promise<number | null>((resolve) => child.once('close', resolve)),
    collect(child.stdout),
    collect(child.stderr),
  ]).then(([code, out, err]): Ended => ({ code, out: out.trim(), err: err.trim() }));
  return { ended, input: child.stdin, kill: () => child.kill('SIGKILL') };
}

/** Runs it with this text, or these bytes, as its standard input. */
export async function runCli(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  input: string | Uint8Array = '',
): Promise<Ended> {
  const { ended, input: stdin } = startCli(args, variables);
  stdin.end(input);
  return await ended;
}

export const toNdjson = (lines: readonly unknown[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
