import { describe, expect, it } from 'vitest';
import { describeUserAgent, userAgentInWords } from '../../src/audit/user-agent.ts';

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const unknown = { browser: null, os: null, device: null };

describe('a user agent', () => {
  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'Firefox', 'Linux', 'desktop'],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/143.0 Safari/537.36`, 'Chrome', 'Windows', 'desktop'],
    [
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/143.0 Safari/537.36 Edg/143.0`,
      'Microsoft Edge',
      'Windows',
      'desktop',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
      'Safari',
      'iOS',
      'mobile',
    ],
    [`Mozilla/5.0 (Linux; Android 16; SM-X810) ${webkit} Chrome/143.0 Safari/537.36`, 'Chrome', 'Android', 'tablet'],
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'Googlebot', null, 'bot'],
    ['curl/8.5.0', 'curl', null, null],
    ['python-requests/2.32.5', 'python-requests', null, null],
    ['MyApp/1.0 (iPhone; iOS 18.6; Scale/3.00)', 'MyApp', 'iOS', 'mobile'],
  ])('%s is %s on %s', (userAgent, browser, os, device) => {
    expect(describeUserAgent(userAgent)).toEqual({ browser, os, device });
    expect(userAgentInWords(userAgent)).toBe(os === null ? browser : `${browser} on ${os}`);
  });

  it('of an unknown program is in words what is known of it', () => {
    expect(userAgentInWords('Mozilla/5.0 (Windows NT 10.0)')).toBe('Windows');
    for (const userAgent of [null, '', 'x', 'Mozilla/5.0']) expect(userAgentInWords(userAgent)).toBeNull();
  });

  it.each([
    'Call 0900-123456 now/1.0 x',
    'evil.example/1.0 (x) y',
    'https://evil.example/1.0 x',
    'Visit-evil-example-and-type-your-password/1',
    '<b>Ann</b>/1.0 (x)',
    'Ann\r\nBcc: x/1.0 (x)',
    'Аnn/1.0 (x)',
    '__proto__',
    'constructor/x (y)',
  ])('cannot put words of its own, such as %j, into what people read', (userAgent) => {
    expect(describeUserAgent(userAgent)).toEqual(unknown);
  });

  it('may be anything of any length', () => {
    const odd = [
      '\0',
      '\ud800',
      '🙂',
      ' ',
      '/',
      '((',
      'Mozilla/5.0 (',
      'version/1.',
      'Macintosh FxiOS',
      'android ',
      '_1',
    ];
    for (const part of odd) {
      for (const times of [1, 30, 1_000_000]) {
        for (const text of [part.repeat(times), `Mozilla/5.0 ${part.repeat(times)}`, `${part.repeat(times)}/1 (x`]) {
          const { browser, os, device } = describeUserAgent(text);
          for (const name of [browser, os, device]) expect(name?.length ?? 0).toBeLessThan(40);
        }
      }
    }
  });
});
