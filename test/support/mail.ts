import type { Mail } from '../../src/mailer.ts';
import type { TestApp } from './test-app.ts';

/** What a person finds in a mail: the token of its link and the code to type. */
export function secretsIn({ text }: Pick<Mail, 'text'>): { token: string; code: string } {
  const token = /token[="':]+([\w-]{43})/.exec(text)?.[1] ?? '';
  const code = /\b([0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4})\b/.exec(text)?.[1] ?? '';
  return { token, code };
}

/** The newest mail to an address. */
export function mailTo({ mails }: Pick<TestApp, 'mails'>, to: string): Mail {
  const mail = mails.findLast((candidate) => candidate.to === to);
  if (mail === undefined) throw new Error('No mail to this address');
  return mail;
}

/** What the newest mail to an address carries. */
export const secretsTo = (app: Pick<TestApp, 'mails'>, to: string) => secretsIn(mailTo(app, to));
