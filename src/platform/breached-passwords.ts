import type { Deps } from '../deps.ts';

const encoder = new TextEncoder();

/**
 * Asks Have I Been Pwned whether a password is known from a breach, by k-anonymity: it is told five of the forty digits
 * of the SHA-1, and gives all that begin so. Padded, so that the length of the answer does not tell which five.
 * @param url of a service that speaks the range API, without a slash at its end; undefined to ask nobody
 * @param timeout how long the whole answer may take, in milliseconds
 * @returns a function that rejects where no answer comes in time
 */
export function createBreachedPasswords(url: string | undefined, timeout = 500): Deps['isBreached'] {
  if (url === undefined) return undefined;
  return async (password: string): Promise<boolean> => {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', encoder.encode(password)));
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0'))
      .join('')
      .toUpperCase();
    const response = await fetch(`${url}/range/${hex.slice(0, 5)}`, {
      headers: { 'Add-Padding': 'true', 'User-Agent': 'edge-auth' },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
    });
    // The signal also ends the reading of a body that never ends.
    const text = await response.text();
    if (response.status !== 200) throw new Error('The range API did not answer');
    // Padding has a count of 0.
    return text.split('\n').some((line) => {
      const [suffix, count] = line.trim().split(':');
      return suffix?.toUpperCase() === hex.slice(5) && Number(count) > 0;
    });
  };
}
