// Node only: it starts an HTTP server in the place of wrangler's.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { startSchedule } from '../../dev/schedule.ts';

it("calls the Worker's scheduled handler again and again, one run at a time, until it is stopped", async () => {
  let open = 0;
  let max = 0;
  const paths: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    open += 1;
    max = Math.max(max, open);
    paths.push(request.url);
    setTimeout(() => {
      open -= 1;
      // One that fails does not end it.
      if (paths.length === 2) response.destroy();
      else response.end();
    }, 20);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const stop = startSchedule(typeof address === 'object' ? (address?.port ?? 0) : 0, 5);
  await expect.poll(() => paths.length).toBeGreaterThan(3);
  await stop();
  const calls = paths.length;
  await new Promise((resolve) => setTimeout(resolve, 150));
  // One that was on its way may still have arrived; it would be five and more by now.
  expect(paths.length).toBeLessThanOrEqual(calls + 1);
  expect(max).toBe(1);
  expect(new Set(paths)).toEqual(new Set(['/cdn-cgi/local/scheduled']));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
