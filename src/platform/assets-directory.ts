import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deps } from '../deps.ts';

/** Files of a directory. Their paths are those of a list, and nothing that came with a request. */
export function createDirectoryAssets(directory: string): Deps['assets'] {
  return async (path) => {
    try {
      return new Response(await readFile(join(directory, path)));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  };
}
