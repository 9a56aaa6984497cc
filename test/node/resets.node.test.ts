// On Node only: it is about the connections of the server there.
import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';
import { expect, it, onTestFinished } from 'vitest';
import { serve, tlsVariables } from '../support/node-server.ts';
import { resetEverywhere } from '../support/resets.ts';

/** What nobody caught: on its own, each of these ends a process. */
function uncaught(): unknown[] {
  const errors: unknown[] = [];
  const note = (error: unknown) => void errors.push(error);
  process.on('uncaughtExceptionMonitor', note);
  onTestFinished(() => void process.off('uncaughtExceptionMonitor', note));
  return errors;
}

const statusOf = (port: number, isSecure: boolean) =>
  new Promise<number | undefined>((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: '/healthz', agent: false };
    const sent = isSecure ? getSecure({ ...options, rejectUnauthorized: false }) : getPlain(options);
    sent.once('error', reject).once('response', (response) => resolve(response.resume().statusCode));
  });

it.each([
  ['plain HTTP', false],
  ['TLS', true],
])('a client may reset its connection at any step over %s', async (_, isSecure) => {
  const errors = uncaught();
  const { port } = await serve(isSecure ? tlsVariables() : {});
  for (let round = 0; round < 3; round += 1) await resetEverywhere(port, isSecure);
  expect([await statusOf(port, isSecure), errors]).toEqual([200, []]);
});
