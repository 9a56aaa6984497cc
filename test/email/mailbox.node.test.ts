// On Node only: it starts the mailbox of development itself.
import { expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { startMailbox } from '../../dev/mailbox.ts';
import { createMailbox } from '../../src/platform/mailbox.ts';
import { enqueueMails, outboxOf } from '../support/enqueued-mails.ts';
import { testApp } from '../support/test-app.ts';

it('puts a enqueued mail into the mailbox of development, and waits while there is none', async () => {
  const mailbox = await startMailbox(0);
  onTestFinished(() => mailbox.stop().catch(() => undefined));
  const app = await testApp({ mailer: createMailbox(mailbox.url) });
  await enqueueMails(app, ['ann@example.com', '']);
  app.clock.advance(31);
  await app.app.runScheduled();
  const response = await fetch(`${mailbox.url}/messages.json`);
  const [message, ...others] = z.array(z.record(z.string(), z.string())).parse(await response.json());
  expect(message).toMatchObject({ to: 'ann@example.com', subject: 'New sign-in to Edge Auth' });
  expect(others).toEqual([]);
  // Nobody can be written to without an address.
  expect(await outboxOf(app)).toMatchObject([{ dead: true, last_error: 'mailbox_400' }]);

  await mailbox.stop();
  await enqueueMails(app, ['ben@example.com']);
  app.clock.advance(31);
  await app.app.runScheduled();
  expect(await outboxOf(app)).toMatchObject([{ dead: true }, { dead: false, attempts: 1 }]);
});
