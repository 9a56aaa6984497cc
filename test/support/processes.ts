import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * The running processes whose command line or environment holds a text, such as the path of a directory that one test
 * hands to what it starts.
 */
export async function processesNaming(text: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['axeww'], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.split('\n').filter((line) => line.includes(text) && !line.includes('<defunct>'));
}

/** The ids of the processes that a process has started and that run. */
export async function childrenOf(parent: number | undefined): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat=']);
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, ppid, state = 'Z']) => ppid === String(parent) && !state.startsWith('Z'))
    .map(([pid]) => Number(pid));
}
