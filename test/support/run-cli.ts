import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { importCommand } from '../../src/cli/import.ts';
import { compileCache } from './compile-cache.ts';
import { testSecret } from './secret.ts';

const entry = join(import.meta.dirname, '../../src/cli/main.ts');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts `npm run cli -- <args>` with the tests' secret and these variables. */
export function startCli(args: readonly string[], variables: Readonly<Record<string, string>>) {
  const env = { PATH: process.env['PATH'], AUTH_SECRET: testSecret, ...compileCache, ...variables };
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

/** The same as `import <options> <file>` in this process: starting another one takes longer than most tests. */
export async function runImport(
  options: readonly string[],
  variables: Readonly<Record<string, string>>,
  file: string | Uint8Array,
): Promise<Ended> {
  const directory = await mkdtemp(join(tmpdir(), 'edge-auth-import-'));
  const [out, err]: [string[], string[]] = [[], []];
  const output = { log: (line: string) => void out.push(line), error: (line: string) => void err.push(line) };
  try {
    const path = join(directory, 'users.ndjson');
    await writeFile(path, file);
    const code = await importCommand([...options, path], { AUTH_SECRET: testSecret, ...variables }, output);
    return { code, out: out.join('\n'), err: err.join('\n') };
  } finally {
    await rm(directory, { recursive: true });
  }
}

export const toNdjson = (lines: readonly unknown[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
