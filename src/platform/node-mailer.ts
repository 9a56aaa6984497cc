import type { Config } from '../config.ts';
import type { Mailer } from '../mailer.ts';
import { createMailbox } from './mailbox.ts';

/** Who takes the mails of a Node process. The SDKs take a while to load, so only the one that is used is. */
export async function createNodeMailer({ mail }: Pick<Config, 'mail'>): Promise<Mailer | undefined> {
  switch (mail?.kind) {
    case 'resend':
      return (await import('./resend.ts')).createResend(mail);
    case 'smtp':
      return (await import('./smtp.ts')).createSmtp(mail);
    case 'mailbox':
      return createMailbox(mail.url);
    default:
      return undefined;
  }
}
