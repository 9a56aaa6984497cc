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
  return statOf(pid)?.state !== 'Z';
}

/** The parents of this process, nearest first: two on Linux, one elsewhere. Changes when one of them dies. */
export function ancestors(): string {
  return `${process.ppid} ${statOf(process.ppid)?.parent}`;
}

/** Linux only; undefined elsewhere, and for a process that is not there. */
function statOf(pid: number): { readonly state: string | undefined; readonly parent: string | undefined } | undefined {
  try {
    // "pid (name) state parent ...", where the name may hold anything, brackets too.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent };
  } catch {
    return undefined;
  }
}
