import { once } from 'node:events';
import type { Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { createCertificate } from './certificate.ts';

export interface TakenMail {
  readonly messageId: string;
  readonly from: string;
  readonly to: readonly string[];
  /** Whether its sender asked for SMTPUTF8. */
  readonly utf8: boolean;
  readonly raw: string;
  readonly secure: boolean;
  readonly user: string | undefined;
}

interface Run {
  /** Ends the server the moment it has taken so many mails in this run, before it answers the last. */
  readonly stopAfter?: number;
  /** Cuts the connection instead of answering every so manieth mail, which it has taken. */
  readonly loseEvery?: number;
  /** What it answers to a recipient or, with `data:` before, to a mail that it does not take. */
  readonly refuse?: (recipient: string) => string | undefined;
  /** Whether it offers SMTPUTF8. */
  readonly utf8?: boolean;
}

export const credentials = { user: 'edge-auth', password: 'the password of the relay' };

/** A real SMTP server with STARTTLS and AUTH that can be stopped, started again, and made to lose its answers. */
export async function createSmtpServer(tls: 'starttls' | 'implicit' | 'none' = 'starttls') {
  const certificate = createCertificate();
  const taken: TakenMail[] = [];
  const lost = new Set<string>();
  const envelopes: string[] = [];
  const unheard = () => undefined;
  const hear = (_: unknown, ...words: readonly unknown[]) => {
    const [, command] = /\b((?:MAIL|RCPT) .*)$/.exec(words.join(' ')) ?? [];
    if (command !== undefined) envelopes.push(command);
  };
  const logger = { trace: unheard, debug: hear, info: unheard, warn: unheard, error: unheard, fatal: unheard };
  let sockets = new Set<Socket>();
  let server: SMTPServer | undefined;
  let port = 0;
  let logins = 0;

  async function stop(): Promise<void> {
    const stopped = server;
    server = undefined;
    if (stopped === undefined) return;
    const closed = new Promise<void>((resolve) => stopped.server.once('close', resolve));
    stopped.server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  async function start({ stopAfter = Infinity, loseEvery = Infinity, refuse, utf8 = true }: Run = {}): Promise<void> {
    let count = 0;
    sockets = new Set();
    const refusal = (text: string) => {
      const [code = '', ...words] = text.split(' ');
      return Object.assign(new Error(words.join(' ')), { responseCode: Number(code) });
    };
    const started = new SMTPServer({
      ...certificate,
      secure: tls === 'implicit',
      disabledCommands: tls === 'starttls' ? [] : ['STARTTLS'],
      authOptional: tls === 'none',
      hideSMTPUTF8: !utf8,
      logger,
      onAuth({ username, password }, _, callback) {
        logins += 1;
        if (username === credentials.user && password === credentials.password) callback(null, { user: username });
        else callback(refusal('535 5.7.8 No'));
      },
      onRcptTo({ address }, _, callback) {
        const text = refuse?.(address);
        callback(text === undefined || text.startsWith('data:') ? null : refusal(text));
      },
      onData(stream, session, callback) {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk) => chunks.push(chunk));
        stream.on('end', () => {
          const raw = Buffer.concat(chunks).toString();
          const to = session.envelope.rcptTo.map(({ address }) => address);
          const text = refuse?.(to[0] ?? '');
          if (text !== undefined) return callback(refusal(text.slice(5)));
          const messageId = /^message-id: (<.*>)\r$/im.exec(raw)?.[1] ?? '';
          const from = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address;
          const { secure, user } = session;
          const asked = session.envelope.smtpUtf8 === true;
          taken.push({ messageId, from, to, raw, secure, user: user?.toString(), utf8: asked });
          count += 1;
          if (count < stopAfter && count % loseEvery !== 0) return callback(null, 'OK');
          lost.add(messageId);
          if (count >= stopAfter) return void stop();
          for (const socket of sockets) if (socket.remotePort === session.remotePort) socket.destroy();
        });
      },
    });
    started.on('error', () => undefined);
    started.server.on('connection', (socket: Socket) => void sockets.add(socket));
    started.listen(port, '127.0.0.1');
    await once(started.server, 'listening');
    const address = started.server.address();
    port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    server = started;
  }

  await start();
  return {
    port,
    authority: certificate.cert,
    /** Every mail that was taken, in order, doubled ones too. */
    taken,
    /** The ids of those that were taken without an answer. */
    lost,
    logins: () => logins,
    /** Every MAIL and RCPT command, as it was sent. */
    envelopes,
    start,
    stop,
  };
}
