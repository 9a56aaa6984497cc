import { expect, it } from 'vitest';
import type { Deps } from '../../src/deps.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

type Verify = Deps['hasher']['verify'];

/** An application where passwords are verified by another function, which gets the usual one. */
async function appThatVerifies(verify: (usual: Verify) => Verify): Promise<TestApp> {
  const { deps } = await testApp();
  const { hasher } = deps;
  return await testApp({ hasher: { ...hasher, verify: verify(hasher.verify) } });
}

const linesOf = ({ logLines }: TestApp, event: string) =>
  logLines.map((line) => JSON.parse(line)).filter((line) => line.event === event);

it('a client that hangs up while its password waits is gone, whatever reason the server gives for it', async () => {
  const gone = new AbortController();
  let isSigningIn = false;
  const app = await appThatVerifies((usual) => (typed, stored, signal) => {
    // The server of Node gives a text.
    if (isSigningIn) gone.abort('Client connection prematurely closed.');
    return usual(typed, stored, signal);
  });
  const { email } = await registerUser(app);
  isSigningIn = true;
  const { status, body } = await app.request('POST', '/auth/login', {
    body: { email, password },
    signal: gone.signal,
  });
  expect([status, body.code]).toEqual([400, 'client_closed_request']);
  expect(linesOf(app, 'request').at(-1)).toMatchObject({
    ...{ route: '/auth/login', status: 400, reason: 'client_closed_request' },
  });
});

it('a value that is no error is answered 500, logged under its route, and shown to nobody', async () => {
  const thrown: unknown = 'ann@example.com';
  const app = await appThatVerifies(() => async () => {
    throw thrown;
  });
  const { email } = await registerUser(app);
  const { status, headers, body } = await app.request('POST', '/auth/login', { body: { email, password } });
  expect([status, body.code, headers.get('X-Request-Id')]).toEqual([500, 'internal_error', body.request_id]);
  expect(linesOf(app, 'request').at(-1)).toMatchObject({ route: '/auth/login', status: 500 });
  expect(linesOf(app, 'unexpected_error')).toMatchObject([{ error: 'Thrown', request_id: body.request_id }]);
  expect(`${app.logLines.join()}${JSON.stringify(body)}`).not.toContain('ann@example.com');
});
