import { type Rule, rule } from './config-rule.ts';
import type { Variables } from './config-variables.ts';

/** Who takes mails; `from` is `Name <address>` or an address. */
export type MailConfig =
  | { readonly kind: 'resend'; readonly apiKey: string; readonly baseUrl: string | undefined; readonly from: string }
  | { readonly kind: 'mailbox'; readonly url: string; readonly from: string }
  | SmtpConfig;

export interface SmtpConfig {
  readonly kind: 'smtp';
  readonly host: string;
  readonly port: number;
  readonly tls: Variables['SMTP_TLS'];
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
  readonly from: string;
}

export const isLoopbackHost = (host: string) => ['localhost', '127.0.0.1', '::1', '[::1]'].includes(host);

/** What variables about mail must fulfil together. */
export const mailRules: readonly Rule[] = [
  rule(['RESEND_API_KEY', 'SMTP_HOST'], (v) =>
    v.RESEND_API_KEY !== undefined && v.SMTP_HOST !== undefined
      ? 'SMTP_HOST: set either this or RESEND_API_KEY'
      : undefined,
  ),
  rule(['RESEND_API_KEY', 'SMTP_HOST', 'MAIL_FROM'], (v, required) =>
    (v.RESEND_API_KEY ?? v.SMTP_HOST) !== undefined && v.MAIL_FROM === undefined
      ? `MAIL_FROM: ${required('MAIL_FROM')}`
      : undefined,
  ),
  rule(['SMTP_USER', 'SMTP_PASSWORD'], (v) =>
    (v.SMTP_USER === undefined) !== (v.SMTP_PASSWORD === undefined)
      ? 'SMTP_PASSWORD: set it together with SMTP_USER'
      : undefined,
  ),
  rule(['SMTP_TLS', 'SMTP_USER', 'SMTP_HOST'], (v) =>
    v.SMTP_TLS === 'none' && v.SMTP_USER !== undefined && !isLoopbackHost(v.SMTP_HOST ?? '')
      ? 'SMTP_TLS: must not be none, because SMTP_PASSWORD would leave the machine unencrypted'
      : undefined,
  ),
  rule(['REQUIRE_EMAIL_VERIFICATION', 'RESEND_API_KEY', 'SMTP_HOST', 'MAILBOX_URL'], (v) =>
    v.REQUIRE_EMAIL_VERIFICATION === true && (v.RESEND_API_KEY ?? v.SMTP_HOST ?? v.MAILBOX_URL) === undefined
      ? 'REQUIRE_EMAIL_VERIFICATION: needs a way to send mail (RESEND_API_KEY or SMTP_HOST)'
      : undefined,
  ),
  rule(['ENVIRONMENT', 'MAILBOX_URL'], (v) =>
    v.ENVIRONMENT !== 'dev' && v.MAILBOX_URL !== undefined
      ? 'MAILBOX_URL: is for development only, because the mailbox shows every mail to everyone. Set SMTP_HOST or RESEND_API_KEY'
      : undefined,
  ),
];

/** Who takes the mails; undefined where no mail can be sent. */
export function toMail(v: Variables): MailConfig | undefined {
  const from = v.MAIL_FROM ?? `${v.SERVICE_NAME} <no-reply@localhost>`;
  if (v.RESEND_API_KEY !== undefined) {
    return { kind: 'resend', apiKey: v.RESEND_API_KEY, baseUrl: v.RESEND_BASE_URL, from };
  }
  if (v.SMTP_HOST !== undefined) {
    const port = v.SMTP_PORT ?? (v.SMTP_TLS === 'implicit' ? 465 : 587);
    const [user, password] = [v.SMTP_USER, v.SMTP_PASSWORD];
    const credentials = user === undefined || password === undefined ? undefined : { user, password };
    return { kind: 'smtp', host: v.SMTP_HOST, port, tls: v.SMTP_TLS, credentials, from };
  }
  return v.MAILBOX_URL === undefined ? undefined : { kind: 'mailbox', url: v.MAILBOX_URL, from };
}
