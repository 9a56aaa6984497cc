import { readFileSync } from 'node:fs';

/**
 * Whether a process still runs. One that has ended but was not yet collected by its parent (a zombie, which may stay for
 * a while where process 1 is no real init, as in containers) does not.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return stateOf(pid) !== 'Z';
}

/** Linux only; undefined elsewhere, and for a process that is not there. */
function stateOf(pid: number): string | undefined {
  try {
    // "pid (name) state parent ...", where the name may hold anything, brackets too.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0];
  } catch {
    return undefined;
  }
}
