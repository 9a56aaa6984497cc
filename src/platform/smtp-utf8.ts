import SMTPConnection, { type SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection';
import { MailUndelivered } from '../mailer.ts';

/**
 * Asks a server by EHLO whether it takes addresses with letters beyond ASCII (SMTPUTF8, RFC 6531), over a connection of its
 * own. The library sends such an address in any case, which a server without it may take and lose.
 * @param signal when to give up
 * @throws what the library tells of a connection that failed
 */
export async function offersSmtpUtf8(options: SMTPConnectionOptions, signal: AbortSignal): Promise<boolean> {
  const connection = new SMTPConnection(options);
  const gaveUp = () => connected.reject(new MailUndelivered('ETIMEDOUT'));
  const connected = Promise.withResolvers<void>();
  signal.addEventListener('abort', gaveUp, { once: true });
  connection.on('error', connected.reject);
  connection.once('end', gaveUp);
  try {
    connection.connect((error) => (error ? connected.reject(error) : connected.resolve()));
    await connected.promise;
    // The answer to EHLO; to the second one, where TLS has begun in between.
    return /^250[ -]SMTPUTF8\b/im.test(String(connection.lastServerResponse));
  } finally {
    signal.removeEventListener('abort', gaveUp);
    connection.close();
  }
}
