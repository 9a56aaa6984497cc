import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;

/**
 * Takes a directory for this process alone and returns the function that gives it back.
 * The lock is the kernel's (a file lock, which Node offers only through SQLite): it goes when the process goes, even by
 * SIGKILL, so there is no stale state to judge by a process id that may have been given to somebody else since.
 * @throws when another process holds it; the message names the directory and that process
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, 'lock');
  closeSync(openSync(path, 'a', 0o600));
  const lock = new DatabaseSync(path, { timeout: 0 });
  const holder = join(directory, 'lock.pid');
  try {
    lock.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) {
      throw new Error(`${directory} is in use by another process (${readHolder(holder)}). Stop it first`);
    }
    throw error;
  }
  writeFileSync(holder, String(process.pid), { mode: 0o600 });
  return () => {
    if (lock.isOpen) {
      lock.close();
    }
  };
}

function readHolder(path: string): string {
  try {
    return `pid ${readFileSync(path, 'utf8')}`;
  } catch {
    return 'pid unknown';
  }
}
