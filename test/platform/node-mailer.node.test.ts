// On Node only: Workers have no SMTP.
import { expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createNodeMailer } from '../../src/platform/node-mailer.ts';
import { testSecret } from '../support/secret.ts';

it('gives mails to whom the configuration names, and to nobody where it names nobody', async () => {
  const kindWith = async (variables: Record<string, string>) => {
    const config = readConfig({
      ENVIRONMENT: 'dev',
      AUTH_SECRET: testSecret,
      ISSUER: 'https://auth.test',
      DATABASE_URL: 'postgres://x',
      MAIL_FROM: 'Auth <auth@example.com>',
      ...variables,
    });
    const mailer = await createNodeMailer(config);
    if (mailer !== undefined) onTestFinished(mailer.close);
    return mailer?.kind;
  };
  expect(await kindWith({ SMTP_HOST: 'localhost' })).toBe('smtp');
  expect(await kindWith({ RESEND_API_KEY: 're_1' })).toBe('resend');
  expect(await kindWith({ MAILBOX_URL: 'http://localhost:1' })).toBe('mailbox');
  expect(await kindWith({})).toBe(undefined);
});
