import { describe, expect, it } from 'vitest';
import { createKeyring } from '../../src/crypto/derive.ts';
import * as locales from '../../src/email/locales.ts';
import { type MessageOf, type MessageType, messages } from '../../src/email/messages.ts';
import { renderMail } from '../../src/email/render.ts';
import { newOneTimeSecret } from '../../src/tokens/one-time-token.ts';

const templates = {
  verify_email: undefined,
  reset_password: undefined,
  confirm_email_change: undefined,
  undo_email_change: undefined,
};
const config = {
  issuer: 'https://auth.test',
  serviceName: 'Example',
  links: { appUrl: undefined, redirectUrls: [], templates },
};
const at = Date.parse('2026-03-02T15:04:05Z');
const token = `${'aB3_-'.repeat(8)}xyz`;
const all = {
  token,
  code: 'ABCD-1234',
  at,
  address: '192.0.2.0/24',
  device: 'Chrome 130 on Windows',
  email: 'a***@example.com',
};
/** What a message of this type tells, as the outbox reads it. */
const dataOf = <Type extends MessageType>(type: Type, data: object = all): MessageOf<Type> =>
  messages[type].parse(data) as MessageOf<Type>;
const types = Object.keys(messages) as MessageType[];
const languages = Object.keys(locales);
const links: Partial<Record<MessageType, string>> = {
  verify_email: '/verify-email',
  confirm_created_account: '/verify-email',
  confirm_registration: '/confirm-registration',
  reset_password: '/reset-password',
  choose_password: '/choose-password',
  finish_registration: '/choose-password',
  unconfirmed_account: '/choose-password',
  confirm_email_change: '/confirm-email-change',
  email_changed: '/undo-email-change',
};
const hasCode = types.filter((type) => links[type] !== undefined && type !== 'email_changed');

describe.each(types.flatMap((type) => languages.map((language) => [type, language] as const)))(
  'the mail %s in %s',
  (type, language) => {
    const mail = renderMail(config, language, type, dataOf(type));

    it('says in both parts what happened, when, from where, and on which device', () => {
      expect(mail.subject).toContain('Example');
      for (const part of [mail.text, mail.html]) {
        for (const fact of ['Example', '2026', '15:04 UTC', '192.0.2.0/24', 'Chrome 130 on Windows']) {
          expect(part).toContain(fact);
        }
        expect(part).not.toMatch(/undefined|null|\[object/);
      }
      expect(mail.text).toContain(language === 'de' ? '2. März 2026' : 'March 2, 2026');
      expect(mail.text.includes('a***@example.com')).toBe(type === 'email_changed');
    });

    it('has its link in the fragment and its code, each on a line of its own, or neither', () => {
      const path = links[type];
      const lines = mail.text.split('\n');
      expect(lines.filter((line) => line === `https://auth.test${path}#token=${token}`)).toHaveLength(path ? 1 : 0);
      expect(lines.filter((line) => line === 'ABCD-1234')).toHaveLength(hasCode.includes(type) ? 1 : 0);
      expect(mail.html.includes(`href="https://auth.test${path}#token=${token}"`)).toBe(path !== undefined);
      expect(mail.html.includes('>ABCD-1234<')).toBe(hasCode.includes(type));
      expect(`${mail.text}${mail.html}`).not.toMatch(/[?&]token=/);
    });

    it('says how long the link and the code are good, and where the code is entered', () => {
      const path = links[type];
      if (path === undefined) return;
      const hours =
        path === '/undo-email-change'
          ? /(?:7 days|7 Tage)/
          : /reset|choose/.test(path)
            ? /(?:one hour|eine Stunde)/
            : /24 (?:hours|Stunden)/;
      for (const part of [mail.text, mail.html]) expect(part).toMatch(hours);
      if (!hasCode.includes(type)) return;
      expect(mail.text).toMatch(new RegExp(` https://auth\\.test${path} .*\\b10 [Mm]in.*:\\nABCD-1234\\n`));
      expect(mail.html).toContain(`<a href="https://auth.test${path}">https://auth.test${path}</a> `);
    });

    it('names the page to set a new password wherever it asks for one', () => {
      const page = 'https://auth.test/forgot-password';
      const asks = [
        'new_sign_in',
        'password_changed',
        'account_locked',
        'already_registered',
        'confirm_created_account',
      ];
      expect(mail.text.includes(`${page} `)).toBe(asks.includes(type));
      expect(mail.html.includes(`<a href="${page}">${page}</a> `)).toBe(asks.includes(type));
    });

    it('is HTML that needs nothing from elsewhere and can be read aloud', () => {
      expect(mail.html).toMatch(new RegExp(`^<!DOCTYPE html>\n<html lang="${language}">`));
      expect(mail.html).toContain(`<title>${mail.subject}</title>`);
      expect(mail.html.match(/<h1>/g)).toHaveLength(1);
      expect(mail.html).not.toMatch(
        /<(img|script|link|iframe|form|object|table|svg|base)|url\(|@import|\son\w+=|src=/i,
      );
      const addresses = [...mail.html.matchAll(/https?:\/\/[^\s"<]+/g)].map(([address]) => new URL(address).origin);
      expect(new Set(addresses)).toEqual(new Set(['https://auth.test']));
    });
  },
);

describe('a mail', () => {
  it('is the same each time', () => {
    const render = () => renderMail(config, 'de', 'reset_password', dataOf('reset_password'));
    expect(render()).toEqual(render());
  });

  it('names no page of ours for the code where the link leads to a page of the operator', () => {
    const own = { ...config.links, templates: { ...templates, verify_email: 'https://app.test/verify#token={token}' } };
    const { text } = renderMail({ ...config, links: own }, 'en', 'verify_email', dataOf('verify_email'));
    expect(text).toContain(`https://app.test/verify#token=${token}\n`);
    expect(text).toContain('Or enter this code on another device. It is valid for 10 minutes:\nABCD-1234');
  });

  it('is in English where its language is not known any more', () => {
    const [english, other] = ['en', 'no language'].map((wish) => renderMail(config, wish, 'new_sign_in', all));
    expect(other).toEqual(english);
  });

  it('leaves out what is not known', () => {
    const { text, html } = renderMail(config, 'en', 'new_sign_in', { at, address: null, device: null });
    expect(text).not.toMatch(/Device|From/);
    expect(html).not.toMatch(/>Device<|>From</);
  });

  it('lets nobody write into it: neither markup, nor lines, nor headers, nor links', () => {
    const attack =
      '<b>"\'&\r\nBcc: eve@evil.example\n\nWin! https://evil.example/x evil.example @evil www.evil.example';
    const type = 'email_changed';
    const config2 = { ...config, serviceName: attack };
    const data = { ...all, device: attack, address: attack, email: '<b>\r\n\u2028\u202ex@y' };
    const mail = renderMail(config2, 'en', type, dataOf(type, data));
    expect(mail.subject).not.toMatch(/[\r\n]/);
    expect(mail.html).not.toContain('<b>');
    expect(mail.text).not.toMatch(/^Bcc|^Win|\r|\u2028|\u202e/m);
    const device = mail.text.split('\n').find((line) => line.startsWith('Device: ')) ?? '';
    expect(device.length).toBeGreaterThan(20);
    expect(device.slice(8)).not.toMatch(/[:/@<>"'&]|\.\S/);
  });

  it('keeps a version number and cuts what is too long', () => {
    const device = (text: string) => renderMail(config, 'en', 'new_sign_in', { at, address: null, device: text }).text;
    expect(device('Safari 17.4.1 on macOS')).toContain('Device: Safari 17.4.1 on macOS\n');
    expect(device('x'.repeat(1000))).toContain(`Device: ${'x'.repeat(60)}\n`);
  });

  it('carries secrets as they were made', async () => {
    const secret = await newOneTimeSecret(await createKeyring(['test-secret-test-secret-test-secret-1']), 'id');
    const { text } = renderMail(config, 'en', 'verify_email', dataOf('verify_email', { ...all, ...secret }));
    expect(/#token=([\w-]+)/.exec(text)?.[1]).toBe(secret.token);
    expect(/\b([0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4})\b/.exec(text)?.[1]).toBe(secret.code);
  });
});
