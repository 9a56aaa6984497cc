// On Node only: commands run there.
import { expect, it } from 'vitest';
import { cleanupCommand } from '../../src/cli/cleanup.ts';
import { testSecret } from '../support/secret.ts';
import { createClock, issuer, registerUser, testApp } from '../support/test-app.ts';

it('cleanup deletes what is old, says how much, and finds nothing the next time', async () => {
  const year = 365 * 86_400_000;
  const app = await testApp({ clock: createClock(Date.now() - year) });
  await registerUser(app);
  const recent = await testApp({ databaseUrl: app.databaseUrl });
  const user = await registerUser(recent);
  const environment = { ENVIRONMENT: 'dev', AUTH_SECRET: testSecret, ISSUER: issuer, DATABASE_URL: app.databaseUrl };
  const lines = await cleanupCommand([], environment);
  expect(lines.slice(0, 3)).toEqual([
    'Deleted: 1 sessions',
    expect.stringMatching(/^Deleted: \d links and codes$/),
    expect.stringMatching(/^Deleted: [1-9] rows of the audit log$/),
  ]);
  const again = await cleanupCommand([], environment);
  expect(again.map((line) => line.slice(0, 10))).toEqual(Array.from({ length: 4 }, () => 'Deleted: 0'));
  expect((await recent.request('GET', '/auth/verify-token', { token: user.access })).status).toBe(200);
  await expect(cleanupCommand(['now'], environment)).rejects.toThrow();
});
