import { expect, it } from 'vitest';
import { testApp } from '../support/test-app.ts';

it('does the other steps of the scheduled work when one fails, and logs which, without the reason in words', async () => {
  const app = await testApp();
  await app.deps.db.execute('alter table signing_keys rename to canary_keys');
  await app.app.runScheduled();
  const lines = app.logLines.map((line) => JSON.parse(line));
  expect(lines.filter(({ event }) => event === 'scheduled_failed')).toMatchObject([{ step: 'rotate_signing_keys' }]);
  expect(lines.filter(({ event }) => event === 'scheduled')).toMatchObject([
    { step: 'relay_outbox' },
    { step: 'repeat_revocations' },
  ]);
  expect(app.logLines.join()).not.toMatch(/select|canary/);
});
