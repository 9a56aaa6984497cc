import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deps } from '../deps.ts';

/**
 * Files of a directory, read once and kept. Their paths are those of a list, and nothing that came with a request: so the
 * list bounds what is kept.
 */
export function createDirectoryAssets(directory: string): Deps['assets'] {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  return async (path) => {
    try {
      const bytes = kept.get(path) ?? (await readFile(join(directory, path)));
      kept.set(path, bytes);
      return new Response(bytes);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  };
}
