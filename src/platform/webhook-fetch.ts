import type { Post } from './webhook.ts';

/**
 * Posts on Workers, whose `fetch` has no say in which address a name is resolved to: the name alone was looked at, and
 * what it may reach is up to Cloudflare.
 */
export const fetchPost: Post = async ({ url, headers, body, signal }) => {
  const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
  // Whoever answers decides how much it is.
  response.body?.cancel().catch(() => undefined);
  return response.status;
};
