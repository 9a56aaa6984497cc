import { createTransport } from 'nodemailer';
import type { SmtpConfig } from '../config-mail.ts';
import { type Mailer, MailRefused, MailUndelivered, needsSmtpUtf8, SmtpUtf8Missing, sendTimeout } from '../mailer.ts';
import { offersSmtpUtf8 } from './smtp-utf8.ts';

const connections = 5;

interface Options {
  /** Certificates (PEM) to trust instead of the system's. */
  readonly authorities?: string;
  /** How long the server may take to answer one step: milliseconds. `sendTimeout` ends the whole. */
  readonly patience?: number;
}

/**
 * SMTP (RFC 5321) over a pool of connections. TLS is 1.2 or newer and the certificate is verified; with `starttls` (RFC
 * 3207) nothing is sent before it, credentials and mail alike. The mail's id is its `Message-ID`, so that one that was
 * taken twice, because the answer to the first was lost, can be told.
 */
export function createSmtp(config: SmtpConfig, { authorities, patience = 10_000 }: Options = {}): Mailer {
  const from = parseSender(config.from);
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1);
  const options = optionsOf(config, authorities, patience);
  const transport = createTransport(options);
  const takesUtf8 = (signal: AbortSignal) =>
    offersSmtpUtf8(options, signal).catch((error: unknown) => {
      throw toFailure(error);
    });

  return {
    kind: 'smtp',
    async send({ to, subject, text, html }, id) {
      const signal = AbortSignal.timeout(sendTimeout - 1000);
      // Of such an address the server is asked each time: it is rare, and the answer may have changed.
      const needsUtf8 = needsSmtpUtf8(to) || needsSmtpUtf8(from.address);
      if (needsUtf8 && !(await takesUtf8(signal))) throw new SmtpUtf8Missing();
      const mail = {
        // As objects, so that no part of an address is read as another recipient.
        from,
        to: { name: '', address: to },
        subject,
        text,
        html,
        messageId: `<${id}@${domain}>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal,
      };
      await transport.sendMail(mail).catch((error: unknown) => {
        throw toFailure(error);
      });
    },
    async close() {
      transport.close();
    },
  };
}

function optionsOf({ host, port, tls, credentials }: SmtpConfig, authorities: string | undefined, patience: number) {
  return {
    host,
    port,
    pool: true as const,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: {
      minVersion: 'TLSv1.2' as const,
      rejectUnauthorized: true,
      ...(authorities === undefined ? {} : { ca: authorities }),
    },
    ...(credentials === undefined ? {} : { auth: { user: credentials.user, pass: credentials.password } }),
    // Where credentials are set and the server does not ask for them, something is wrong.
    forceAuth: credentials !== undefined,
    maxConnections: connections,
    // A mail whose connection broke may have been taken: the outbox decides about another try, not the pool.
    maxRequeues: 0,
    idleTimeout: 30_000,
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
    dnsTimeout: patience,
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
  };
}

/**
 * Connects, and signs in where there are credentials. Sends nothing.
 * @throws {MailUndelivered} with the code of the library: `ETLS` where the server refuses STARTTLS, `EAUTH` for credentials
 */
export async function askSmtp(config: SmtpConfig, { authorities, patience = 10_000 }: Options = {}): Promise<void> {
  const transport = createTransport(optionsOf(config, authorities, patience));
  try {
    await transport.verify();
  } catch (error) {
    throw new MailUndelivered(fieldsOf(error).code);
  } finally {
    transport.close();
  }
}

/** `Name <address>` or an address alone, as the configuration has checked. */
function parseSender(text: string): { name: string; address: string } {
  const [, name = '', address = text] = /^(.*)<([^<>]+)>$/.exec(text) ?? [];
  return { name: name.trim().replace(/^"(.*)"$/, '$1'), address };
}

/**
 * Refused is what the server says of this recipient or this mail, for good (5yz, RFC 5321 section 4.2.1). What it says
 * of us and of itself may be mended (RFC 3463 section 3): credentials and who may send and relay (5.7), the sender (5.1.7,
 * 5.1.8), its system, its network and how much we may send (5.3, 5.4), the protocol (5.5). The messages hold addresses, so
 * only codes go on.
 */
function toFailure(error: unknown): Error {
  const { code, command, responseCode, response } = fieldsOf(error);
  // It takes such addresses and cannot pass this one on (RFC 6531 section 3.5).
  if (/^5\d\d[ -]5\.6\.[79]\b/.test(response)) return new SmtpUtf8Missing();
  const isPermanent = responseCode !== undefined && responseCode >= 500 && ![503, 530].includes(responseCode);
  const isNotOfThisMail = /^5\d\d[ -]5\.(?:1\.[78]|[3457]\.\d{1,3})\b/.test(response);
  if (isPermanent && !isNotOfThisMail && (command === 'RCPT TO' || command === 'DATA')) {
    return new MailRefused(`smtp_${responseCode}`);
  }
  // Nothing was sent: the library could not make an address of the recipient.
  if (code === 'EENVELOPE' && command === 'API') return new MailRefused('invalid_recipient');
  return new MailUndelivered(responseCode === undefined ? code : `smtp_${responseCode}`);
}

function fieldsOf(error: unknown) {
  const fields: Readonly<Record<string, unknown>> = error instanceof Error ? { ...error } : {};
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const { responseCode } = fields;
  return {
    code: /^[A-Z]{1,20}$/.exec(text(fields['code']))?.[0] ?? 'unknown_failure',
    command: text(fields['command']),
    responseCode: typeof responseCode === 'number' ? responseCode : undefined,
    response: text(fields['response']),
  };
}
