import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { secretProblem } from '../src/config-secrets.ts';
import { olderSecret, testSecret } from './support/secret.ts';

const complete = {
  AUTH_SECRET: testSecret,
  ISSUER: 'https://auth.acme.dev',
  DATABASE_URL: 'postgres://user:password@localhost/database',
};
const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

describe('a root secret', () => {
  it('is 32 to 64 random bytes in hex, base64 or base64url', () => {
    for (let times = 0; times < 2000; times += 1) {
      const bytes = random(32);
      const text = base64(bytes);
      const forms = [text, text.replace(/=+$/, ''), text.replaceAll('+', '-').replaceAll('/', '_'), hex(bytes)];
      expect(forms.map(secretProblem)).toEqual(forms.map(() => undefined));
    }
    expect([base64(random(48)), base64(random(64)), hex(random(32)).toUpperCase()].map(secretProblem)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each([
    'password'.repeat(8),
    'passwordpasswordpasswordpasswordpassword123',
    'changeme-changeme-changeme-changeme-changem',
    'ChangeMe0ChangeMe1ChangeMe2ChangeMe3ChangeM',
    '<generate-with-openssl-rand-base64-32-bytes>',
    'your-secret-key-here',
    'GENERATE_WITH_openssl_rand_base64_32_Please',
    'correct-horse-battery-staple-and-many-more1',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq',
    '0123456789abcdef'.repeat(4),
    hex(Uint8Array.from({ length: 32 }, (_, index) => index)),
    base64(Uint8Array.from({ length: 32 }, (_, index) => 7 * index)),
    'a'.repeat(64),
    '0'.repeat(64),
    base64(new Uint8Array(32)),
    base64(random(31)),
    base64(random(65)),
    hex(random(31)),
    'a secret of blanks and words, quite long!!!',
    crypto.randomUUID(),
    `${crypto.randomUUID()}${crypto.randomUUID()}`,
    'Ä'.repeat(43),
  ])('is not what people make up or copy from an example (%#)', (text) => {
    const problem = secretProblem(text) ?? '';
    expect(problem, text).toContain('openssl rand -base64 32');
    for (const ENVIRONMENT of ['production', 'staging']) {
      const read = () => readConfig({ ...complete, ENVIRONMENT, AUTH_SECRET: text });
      expect(read).toThrow('Invalid configuration. AUTH_SECRET: ');
      expect(read).not.toThrow(text);
    }
  });

  it('may be weaker in development', () => {
    const AUTH_SECRET = 'for-development-alone-and-long-enough';
    expect(readConfig({ ...complete, ENVIRONMENT: 'dev', AUTH_SECRET }).secrets).toEqual([AUTH_SECRET]);
  });
});

describe('older root secrets', () => {
  const read = (variables: Record<string, string>) => readConfig({ ...complete, ...variables });

  it('follow the newest, and count for nothing but reading unless a date says so', () => {
    expect(read({ AUTH_SECRET_PREVIOUS: olderSecret })).toMatchObject({
      secrets: [testSecret, olderSecret],
      previousSecretsUntil: undefined,
    });
    const dated = (AUTH_SECRET_PREVIOUS_UNTIL: string) =>
      read({ AUTH_SECRET_PREVIOUS: olderSecret, AUTH_SECRET_PREVIOUS_UNTIL }).previousSecretsUntil;
    expect(dated('2026-12-01')).toBe(Date.UTC(2026, 11, 1));
    expect(dated('2026-12-01T12:30:00+02:00')).toBe(Date.UTC(2026, 11, 1, 10, 30));
    for (const wrong of ['tomorrow', '2026-13-01', '1764547200', '2026-12-01T12:00']) {
      expect(() => dated(wrong)).toThrow('AUTH_SECRET_PREVIOUS_UNTIL: Expected a date');
    }
  });

  it('may be as weak as they were, but their tokens may not live on then', () => {
    const AUTH_SECRET_PREVIOUS = 'changeme-changeme-changeme-changeme-1';
    expect(read({ AUTH_SECRET_PREVIOUS }).secrets).toEqual([testSecret, AUTH_SECRET_PREVIOUS]);
    expect(() => read({ AUTH_SECRET_PREVIOUS, AUTH_SECRET_PREVIOUS_UNTIL: '2099-01-01' })).toThrow(
      'AUTH_SECRET_PREVIOUS_UNTIL: a previous secret is easy to guess',
    );
  });

  it('stand in a variable of their own, each once, and are no blanks', () => {
    expect(() => read({ AUTH_SECRET: `${testSecret},${olderSecret}` })).toThrow('to AUTH_SECRET_PREVIOUS');
    expect(() => read({ AUTH_SECRET_PREVIOUS: testSecret })).toThrow(
      'AUTH_SECRET_PREVIOUS: contains AUTH_SECRET itself',
    );
    expect(() => read({ AUTH_SECRET_PREVIOUS: `${olderSecret} ${olderSecret}` })).toThrow('the same secret twice');
    expect(() => read({ AUTH_SECRET_PREVIOUS: 'short' })).toThrow('AUTH_SECRET_PREVIOUS: Each needs');
    expect(() => read({ AUTH_SECRET: ' , ' })).toThrow('AUTH_SECRET');
  });
});
