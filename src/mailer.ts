/** The port to whoever takes mails. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface Mailer {
  readonly kind: 'resend' | 'smtp' | 'mailbox';
  /**
   * Hands one mail over; resolves when it was taken.
   * @param id the same each time that this mail is sent: who takes mails twice can tell (`Idempotency-Key`, `Message-ID`)
   * @throws {MailRefused} where trying again makes no sense; anything else is worth another try
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
