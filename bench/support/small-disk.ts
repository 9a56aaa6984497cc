import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SmallDisk {
  /** Takes all space that is left. */
  fill(): void;
  /** Gives it back. */
  free(): void;
  unmount(): void;
}

/**
 * Mounts a file system of so many MiB at a directory, in memory. Needs the right to mount, as root has in CI.
 * @throws where it may not
 */
export function mountSmallDisk(directory: string, size: number): SmallDisk {
  mkdirSync(directory, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m,mode=0755`, 'edge-auth-check', directory], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // Postgres may run as an account of its own, which has to get through.
  chmodSync(directory, 0o755);
  const filler = join(directory, 'filler');
  return {
    fill() {
      const { bavail, bsize } = statfsSync(directory);
      const left = Number(bavail) * Number(bsize);
      try {
        writeFileSync(filler, Buffer.alloc(left + 1_000_000), { flag: 'a' });
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      }
    },
    free: () => rmSync(filler, { force: true }),
    unmount: () => void execFileSync('umount', ['--lazy', directory]),
  };
}
