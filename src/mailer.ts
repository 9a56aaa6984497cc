/** The port to whoever takes mails. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/**
 * How long `Mailer.send` may take, in milliseconds: then it has settled, one way or the other. Shorter than any claim on
 * a row of the outbox, so that one mail is never on its way twice at a time.
 */
export const sendTimeout = 20_000;

export interface Mailer {
  readonly kind: 'resend' | 'smtp' | 'mailbox';
  /**
   * Hands one mail over; resolves when it was taken. Settles within `sendTimeout`.
   * @param id the same each time that this mail is sent: who takes mails twice can tell (`Idempotency-Key`, `Message-ID`)
   * @throws {MailRefused} where trying again makes no sense
   * @throws {MailUndelivered} or anything else, where another try is worth it
   */
  send(mail: Mail, id: string): Promise<void>;
  close(): Promise<void>;
}

/** This mail will never be taken, whenever it is sent again. `code` says why and is safe to log. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused';
  readonly code: string;

  constructor(code: string) {
    super(`The mail was refused: ${code}`);
    this.code = code;
  }
}

/**
 * Whether the part before the @ holds letters that only a server with SMTPUTF8 takes (RFC 6531). What others say of such
 * an address says nothing of whether it exists: the mail is kept, under a reason of its own, for a server that can.
 */
export const needsSmtpUtf8 = (address: string): boolean =>
  /[^\0-\x7f]/.test(address.slice(0, address.lastIndexOf('@')));

/** This mail was not taken, or nobody can tell whether it was. `code` says why and is safe to log. */
export class MailUndelivered extends Error {
  override readonly name = 'MailUndelivered';
  readonly code: string;

  constructor(code: string) {
    super(`The mail was not taken: ${code}`);
    this.code = code;
  }
}

/**
 * Whoever takes mails is there, and takes none for such an address (`needsSmtpUtf8`): this mail waits for a server that
 * does, and says nothing of others.
 */
export class SmtpUtf8Missing extends MailUndelivered {
  constructor() {
    super('smtputf8_missing');
  }
}

/** Whether they have answered, and it is this mail that they do not take: others may go. */
export const isOfThisMail = (error: unknown): boolean =>
  error instanceof MailRefused || error instanceof SmtpUtf8Missing;
