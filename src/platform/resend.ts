import { Resend } from 'resend';
import type { MailConfig } from '../config-mail.ts';
import { type Mailer, MailRefused, MailUndelivered, needsSmtpUtf8, SmtpUtf8Missing } from '../mailer.ts';

/** How long one mail may take, with the pauses that Resend asks for: milliseconds. */
const timeout = 10_000;
/** What it answers where a field of the mail is wrong. A sender or a key that is wrong can be mended, and is not here. */
const refusals = ['validation_error', 'invalid_parameter', 'missing_required_field'];

type Options = Pick<Extract<MailConfig, { kind: 'resend' }>, 'apiKey' | 'baseUrl' | 'from'>;

/**
 * Resend, through its SDK. A repeated mail goes out once: the id is its `Idempotency-Key`, which Resend remembers for 24
 * hours. The SDK does not throw; its messages hold addresses, so only their codes go on.
 */
export function createResend({ apiKey, baseUrl = 'https://api.resend.com', from }: Options): Mailer {
  const resend = new Resend(apiKey, { baseUrl });

  return {
    kind: 'resend',
    async send({ to, subject, text, html }, id) {
      const signal = AbortSignal.timeout(timeout);
      const end = performance.now() + timeout;
      const mail = { from, to, subject, text, html, headers: { 'Auto-Submitted': 'auto-generated' } };
      for (;;) {
        const { data, error, headers } = await resend.emails.send(mail, { idempotencyKey: id, signal });
        // Of an answer that is not what Resend documents, both may be null: only an id means that it was taken.
        if (typeof data?.id === 'string') return;
        const code = codeOf(error?.name);
        // This key was used with other words, as of another release: what they were sent for has been taken.
        if (code === 'invalid_idempotent_request') return;
        const pause = pauseOf(headers?.['retry-after']);
        if (code !== 'rate_limit_exceeded' || performance.now() + pause >= end)
          throw failure(code, error?.statusCode, to);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    },
    close: async () => undefined,
  };
}

function failure(code: string, status: unknown, to: string): Error {
  const isRefusal = (status === 400 || status === 422) && refusals.includes(code);
  if (isRefusal && needsSmtpUtf8(to)) return new SmtpUtf8Missing();
  return isRefusal ? new MailRefused(code) : new MailUndelivered(code);
}

/** The name of the error, where it is a plain one: a proxy in between may answer anything. */
const codeOf = (name: unknown) => (typeof name === 'string' && /^[a-z_]{1,40}$/.test(name) ? name : 'unknown_answer');

/** Milliseconds; a little more than asked for, by chance, so that mails that wait together do not come back together. */
function pauseOf(retryAfter: string | undefined): number {
  const seconds = /^\d{1,5}$/.test(retryAfter ?? '') ? Number(retryAfter) : 1;
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return seconds * 1000 + (random / 2 ** 32) * 500;
}
