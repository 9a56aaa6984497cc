// On Node only: SMTP needs connections of its own, which Workers do not have.
import PostalMime from 'postal-mime';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SmtpConfig } from '../../src/config-mail.ts';
import { MailRefused, MailUndelivered } from '../../src/mailer.ts';
import { createSmtp } from '../../src/platform/smtp.ts';
import { enqueueMails, outboxOf, people, sweepUntilDone } from '../support/enqueued-mails.ts';
import { createSmtpServer, credentials } from '../support/smtp-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { testApp } from '../support/test-app.ts';

const from = 'Müller, Auth & Co <no-reply@auth.example>';
const mail = {
  to: 'ann@example.com',
  subject: 'Grüße, ein Betreff',
  text: 'Text\n.\nmit Punkt\n',
  html: '<p>Text</p>',
};

async function smtp(tls: SmtpConfig['tls'] = 'starttls', changes: Partial<SmtpConfig> = {}) {
  const server = await createSmtpServer(tls);
  onTestFinished(server.stop);
  const config: SmtpConfig = { kind: 'smtp', host: 'localhost', port: server.port, tls, credentials, from, ...changes };
  const mailer = createSmtp(config, { authorities: server.authority });
  onTestFinished(mailer.close);
  return { server, mailer, config };
}

const id = () => crypto.randomUUID();

describe('a real SMTP server', () => {
  it('that is stopped in mid-run gets every enqueued mail, and those it gets twice can be told', async () => {
    const { server, mailer } = await smtp();
    const app = await testApp({ mailer });
    const recipients = people(200);
    const rows = await enqueueMails(app, recipients);
    await server.stop();

    await server.start({ stopAfter: 60, loseEvery: 20 });
    app.clock.advance(31);
    await app.app.runScheduled();
    const before = server.taken.length;
    expect(before).toBeGreaterThanOrEqual(60);
    expect(before).toBeLessThan(200);
    // Down for an hour: the scheduled work goes on, in vain.
    for (let minutes = 0; minutes < 60; minutes += 5) {
      app.clock.advance(300);
      await app.app.runScheduled();
    }
    expect(server.taken).toHaveLength(before);
    await server.start({ loseEvery: 40 });
    await sweepUntilDone(app, 4);

    expect(await outboxOf(app)).toEqual([]);
    const times = Map.groupBy(server.taken, ({ messageId }) => messageId);
    expect([...times.keys()].toSorted()).toEqual(rows.map((row) => `<${row.id}@auth.example>`).toSorted());
    expect(new Set(server.taken.flatMap(({ to }) => to))).toEqual(new Set(recipients));
    for (const same of times.values()) expect(new Set(same.map(({ to }) => to.join())).size).toBe(1);
    // Twice came what was taken without an answer, and at most what was on one of the five connections at the stop.
    const doubled = [...times].filter(([, same]) => same.length > 1).map(([messageId]) => messageId);
    expect(server.lost.size).toBeGreaterThanOrEqual(6);
    expect([...server.lost].filter((messageId) => !doubled.includes(messageId))).toEqual([]);
    expect(doubled.length).toBeLessThanOrEqual(server.lost.size + 5);
    expect(server.taken.every(({ secure, user }) => secure && user === credentials.user)).toBe(true);
    expect(app.logLines.join()).not.toMatch(/@example\.com|person-|Recipient|localhost/);
  });

  it.each(['starttls', 'implicit'] as const)('gets a mail as it was meant, over TLS (%s)', async (tls) => {
    const { server, mailer } = await smtp(tls);
    const messageId = id();
    await mailer.send(mail, messageId);
    await mailer.send(mail, id());
    expect(server.logins()).toBe(1);
    const [taken] = server.taken;
    expect(taken).toMatchObject({ to: [mail.to], from: 'no-reply@auth.example', secure: true, user: credentials.user });
    const parsed = await PostalMime.parse(taken?.raw ?? '');
    expect(parsed).toMatchObject({
      messageId: `<${messageId}@auth.example>`,
      subject: mail.subject,
      from: { name: 'Müller, Auth & Co', address: 'no-reply@auth.example' },
      to: [{ address: mail.to }],
    });
    expect(parsed.text?.replaceAll('\r', '').trim()).toBe(mail.text.trim());
    expect(parsed.html?.trim()).toBe(mail.html);
    expect(parsed.headers).toContainEqual(expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }));
  });

  it('gets neither password nor mail without TLS, from a certificate nobody vouches for, or under another name', async () => {
    const { server, mailer } = await smtp('none', { tls: 'starttls' });
    await expect(mailer.send(mail, id())).rejects.toThrow(MailUndelivered);
    expect([server.logins(), server.taken.length]).toEqual([0, 0]);

    const tls = await smtp('starttls');
    const strangers = createSmtp(tls.config);
    onTestFinished(strangers.close);
    await expect(strangers.send(mail, id())).rejects.toThrow(MailUndelivered);
    const misnamed = createSmtp(
      { ...tls.config, host: '127.0.0.1' },
      {
        authorities: tls.server.authority,
      },
    );
    onTestFinished(misnamed.close);
    await expect(misnamed.send(mail, id())).rejects.toThrow(MailUndelivered);
    expect([tls.server.logins(), tls.server.taken.length]).toEqual([0, 0]);
  });

  it('tells a recipient that is refused for good from everything that may be mended', async () => {
    const { server, mailer, config } = await smtp();
    await server.stop();
    await server.start({
      refuse: (recipient) =>
        ({
          a: '550 5.1.1 No such user',
          ä: '550 5.1.1 No such user',
          b: '451 Later',
          c: '550 5.7.1 Relaying denied',
          d: 'data:554 5.6.0 No',
          e: 'data:452 4.3.1 Full',
          f: 'data:550 5.4.5 Daily user sending limit exceeded',
          g: '550 5.1.8 Bad sender',
          h: '554 5.3.2 Not accepting mails now',
          i: '550 No such user',
          j: '553 5.6.7 Address not allowed',
        })[recipient.charAt(0)],
    });
    const outcome = async (to: string, by = mailer) => {
      const error = await by.send({ ...mail, to }, id()).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      return error instanceof MailRefused || error instanceof MailUndelivered
        ? `${error.name} ${error.code}`
        : String(error);
    };
    expect(await outcome('a@example.com')).toBe('MailRefused smtp_550');
    expect(await outcome('b@example.com')).toBe('MailUndelivered smtp_451');
    expect(await outcome('c@example.com')).toBe('MailUndelivered smtp_550');
    expect(await outcome('d@example.com')).toBe('MailRefused smtp_554');
    expect(await outcome('e@example.com')).toBe('MailUndelivered smtp_452');
    // Nor is it the mail's fault that the server has had enough of us for today.
    expect(await outcome('f@example.com')).toBe('MailUndelivered smtp_550');
    expect(await outcome('g@example.com')).toBe('MailUndelivered smtp_550');
    expect(await outcome('h@example.com')).toBe('MailUndelivered smtp_554');
    expect(await outcome('i@example.com')).toBe('MailRefused smtp_550');
    // It takes such addresses, and who comes next does not: no reason to give the mail up.
    expect(await outcome('jörg@example.com')).toBe('MailUndelivered smtputf8_missing');
    expect(await outcome('änn@example.com')).toBe('MailRefused smtp_550');
    expect(await outcome('x@example.com')).toBe('undefined');
    const wrong = createSmtp(
      { ...config, credentials: { user: 'x', password: 'y' } },
      { authorities: server.authority },
    );
    onTestFinished(wrong.close);
    expect(await outcome('x@example.com', wrong)).toBe('MailUndelivered smtp_535');
    await server.stop();
    expect(await outcome('x@example.com')).toMatch(/^MailUndelivered E/);
  });

  it.each(['starttls', 'implicit', 'none'] as const)(
    'that offers no SMTPUTF8 gets no address beyond ASCII, and gets the mail when it does (%s)',
    async (tls) => {
      const { server, mailer } = await smtp(tls, tls === 'none' ? { credentials: undefined } : {});
      const app = await testApp({ mailer });
      await server.stop();
      await server.start({ utf8: false });
      // More than it takes for a server to count as away, and others behind them.
      const held = ['jörg', 'пример', 'ǆ', 'bjørn'].map((local) => `${local}@bücher.example`);
      await enqueueMails(app, held);
      await enqueueMails(app, ['ann@bücher.example']);
      const sweep = async (seconds: number) => {
        app.clock.advance(seconds);
        await app.app.runScheduled();
      };
      await sweep(31);
      expect(server.taken).toMatchObject([{ utf8: false }]);
      // Such a domain has a form in ASCII, which any server takes. Nothing but ASCII was sent.
      expect(server.envelopes).toContainEqual(expect.stringMatching(/^RCPT TO:<ann@xn--bcher-kva\.example>/));
      expect(server.envelopes.filter((command) => /^MAIL.*SMTPUTF8|[^ -~]/.test(command))).toEqual([]);
      const waiting = { attempts: 1, dead: false, last_error: 'smtputf8_missing' };
      expect(await outboxOf(app)).toMatchObject(held.map(() => waiting));
      for (let hours = 0; hours < 24; hours += 6) await sweep(6 * 3600);
      expect([server.taken.length, server.envelopes.length]).toEqual([1, 2]);
      expect((await outboxOf(app)).map(({ dead, last_error }) => [dead, last_error])).toEqual(
        held.map(() => [false, 'smtputf8_missing']),
      );

      await server.stop();
      await server.start({ utf8: true });
      await sweep(6 * 3600);
      expect(await outboxOf(app)).toEqual([]);
      expect(server.taken.slice(1).map(({ to, utf8 }) => [...to, utf8])).toEqual(
        expect.arrayContaining(held.map((address) => [address, true])),
      );
      expect(server.taken).toHaveLength(1 + held.length);
      expect(app.logLines.join()).not.toMatch(/jörg|bücher|xn--/);
    },
  );

  it('that says nothing, or nothing more, holds nobody up', async () => {
    const { server, config } = await smtp();
    const proxies = [await startTcpProxy(), await startTcpProxy(server.port)];
    for (const proxy of proxies) {
      onTestFinished(proxy.stop);
      const mailer = createSmtp({ ...config, port: proxy.port }, { authorities: server.authority, patience: 200 });
      onTestFinished(mailer.close);
      if (proxy === proxies[1]) await mailer.send(mail, id());
      else await expect(mailer.send({ ...mail, to: 'jörg@example.com' }, id())).rejects.toThrow(/: ETIMEDOUT$/);
      proxy.freeze();
      await expect(mailer.send(mail, id())).rejects.toThrow(/^The mail was not taken: E(TIMEDOUT|CONNECTION)$/);
    }
  });

  it('gets one recipient and no header more, whatever the fields hold', async () => {
    const { server, mailer } = await smtp();
    const evil = 'x\r\nBcc: eve@evil.example\r\n\r\nbody';
    await mailer.send({ ...mail, subject: evil }, id());
    for (const to of [
      `ann@example.com\r\nBcc: eve@evil.example`,
      'ann@example.com, eve@evil.example',
      '<ann@example.com>,eve@evil.example',
    ]) {
      await mailer.send({ ...mail, to }, id()).catch(() => undefined);
    }
    for (const { to, raw } of server.taken) {
      expect(to).toHaveLength(1);
      expect(to.join()).not.toBe('eve@evil.example');
      const head = raw.slice(0, raw.indexOf('\r\n\r\n'));
      expect(head).not.toMatch(/^bcc:/im);
      expect(head.match(/^(to|subject):/gim)).toHaveLength(2);
    }
    expect(server.taken.length).toBeGreaterThan(0);
  });
});
