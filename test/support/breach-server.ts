import { createHash } from 'node:crypto';
import { startLoopbackServer } from './loopback-server.ts';

/** Known from a breach, as this server says; the other one stands in its answers as padding. */
const breached = ['a phrase from a breach', 'a phrase from the padding'];

/**
 * Speaks the range API of Have I Been Pwned, strictly: what is asked for otherwise than documented is refused.
 * Below `/known` it answers, below `/slow` it begins an answer and does not end it, below `/broken` it fails.
 */
export async function startBreachServer(): Promise<{ url: string; stop(): Promise<void> }> {
  return await startLoopbackServer((request, response) => {
    const [, mode, prefix] = /^\/(known|slow|broken)\/range\/([0-9A-F]{5})$/.exec(request.url ?? '') ?? [];
    if (mode === undefined || request.method !== 'GET' || request.headers['add-padding'] !== 'true') {
      response.writeHead(400).end();
      return;
    }
    if (mode === 'broken') {
      response.writeHead(503).end('0000000000000000000000000000000000:1');
      return;
    }
    const lines = breached.flatMap((password, index) => {
      const hash = createHash('sha1').update(password).digest('hex').toUpperCase();
      return hash.slice(0, 5) === prefix ? [`${hash.slice(5)}:${index === 0 ? 7 : 0}`] : [];
    });
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.write(['0018A45C4D1DEF81644B54AB7F969B88D65:12', ...lines].join('\r\n'));
    if (mode === 'known') response.end();
  });
}
