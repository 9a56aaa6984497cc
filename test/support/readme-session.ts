import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const readme = join(import.meta.dirname, '../../README.md');

/** Runs the curl session of the README, as a reader who pastes it. @returns its output, a line for each answer */
export async function runReadmeSession(base: string): Promise<string[]> {
  const [, script] = /<!-- session -->\n```sh\n([\s\S]*?)```/.exec(await readFile(readme, 'utf8')) ?? [];
  if (script === undefined) throw new Error('The README holds no session');
  const { stdout } = await promisify(execFile)('bash', ['-e', '-c', script], { env: { ...process.env, BASE: base } });
  return stdout.trim().split('\n');
}
