import { type Mailer, MailRefused, MailUndelivered } from '../mailer.ts';
import { traceHeaders } from '../ops/observation.ts';

const timeout = 10_000;

/** The mailbox of development: it shows mails instead of sending them. @param url without a slash at its end */
export function createMailbox(url: string): Mailer {
  return {
    kind: 'mailbox',
    async send({ to, subject, text, html }) {
      const response = await fetch(`${url}/messages`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...traceHeaders() },
        body: JSON.stringify({ to, subject, text, html }),
        signal: AbortSignal.timeout(timeout),
      });
      await response.body?.cancel();
      if (response.ok) return;
      const code = `mailbox_${response.status}`;
      throw response.status < 500 ? new MailRefused(code) : new MailUndelivered(code);
    },
    close: async () => undefined,
  };
}
