import type { Deps } from '../deps.ts';

const isFetcher = (binding: unknown): binding is Pick<Fetcher, 'fetch'> =>
  typeof binding === 'object' && binding !== null && 'fetch' in binding && typeof binding.fetch === 'function';

/**
 * The static assets of the Worker: they are no part of its script.
 * @param binding `ASSETS` of wrangler.toml; without it there are none
 */
export function createBoundAssets(binding: unknown): Deps['assets'] {
  return async (path) => {
    if (!isFetcher(binding)) return undefined;
    // Only the path of this address counts.
    const response = await binding.fetch(`https://assets.invalid/${path}`);
    return response.ok ? response : undefined;
  };
}
