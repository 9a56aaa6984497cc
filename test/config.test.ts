import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';
import { lockouts, policies } from '../src/limits/policies.ts';

const secret = 'a-secret-of-at-least-thirty-two-characters';
const complete = {
  AUTH_SECRET: secret,
  ISSUER: 'https://auth.example.com/',
  DATABASE_URL: 'postgres://user:password@host/database',
};

const relayed = { SMTP_HOST: 'smtp.example', MAIL_FROM: 'Auth <auth@example.com>' };

describe('the configuration', () => {
  it('needs a secret, an issuer and a database, and has defaults for all else', () => {
    expect(readConfig(complete)).toMatchObject({
      environment: 'production',
      secrets: [secret],
      issuer: 'https://auth.example.com',
      audience: 'https://auth.example.com',
      accessTokenTtl: 900,
      sessionTtl: 2_592_000,
      sessionIdleTtl: 604_800,
      refreshGrace: 10,
      slowRequestMs: 5000,
      argon2: { memory: 19_456, iterations: 2 },
      limits: policies,
      lockouts,
    });
  });

  it('names every wrong variable at once, and never a value', () => {
    const wrong = {
      AUTH_SECRET: 'short-canary',
      ISSUER: 'canary',
      PORT: 'canary',
      LOG_LEVEL: 'canary',
      TRUSTED_PROXIES: '10.0.0.0/8',
      LIMIT_LOGIN_ADDRESS: 'canary',
    };
    expect(() => readConfig(wrong)).toThrow(ConfigError);
    try {
      readConfig(wrong);
    } catch (error) {
      const { message } = error as ConfigError;
      for (const name of [
        'AUTH_SECRET',
        'ISSUER',
        'DATABASE_URL: Required',
        'PORT',
        'LOG_LEVEL',
        'LIMIT_LOGIN_ADDRESS',
      ]) {
        expect(message).toContain(name);
      }
      expect(message).not.toContain('canary');
      expect(message).not.toContain('TRUSTED_PROXIES');
    }
  });

  it('takes several secrets, newest first, each long enough', () => {
    const older = 'an-older-secret-an-older-secret-an-older';
    expect(readConfig({ ...complete, AUTH_SECRET: `${secret}, ${older}` }).secrets).toEqual([secret, older]);
    expect(() => readConfig({ ...complete, AUTH_SECRET: `${secret},short` })).toThrow('AUTH_SECRET');
    expect(() => readConfig({ ...complete, AUTH_SECRET: ' , ' })).toThrow('AUTH_SECRET');
    expect(() => readConfig({ ...complete, AUTH_SECRET: `${secret},${secret}` })).toThrow('AUTH_SECRET');
  });

  it('counts empty variables and bindings as unset', () => {
    expect(readConfig({ ...complete, AUDIENCE: '', PORT: ' ', EVENTS: {} })).toMatchObject({ port: 3000 });
  });

  it('lets every limit be set', () => {
    const { limits } = readConfig({ ...complete, LIMIT_LOGIN_DEVICE: '3/600' });
    expect(limits.login_device).toEqual({ limit: 3, window: 600 });
    expect(limits.login_address).toEqual(policies.login_address);
  });

  it('lets every lockout be set', () => {
    const set = readConfig({ ...complete, LOCKOUT_DEVICE: '3/60/600/6000' });
    expect(set.lockouts).toEqual({
      ...lockouts,
      lockout_device: { failures: 3, pause: 60, longestPause: 600, memory: 6000 },
    });
    for (const wrong of ['5', '5/60/3600', '0/60/3600/86400', '5/60/3600/86400/1', '5/0/1/1', 'canary']) {
      expect(() => readConfig({ ...complete, LOCKOUT_ACCOUNT: wrong })).toThrow(/LOCKOUT_ACCOUNT: Expected/);
    }
  });

  it.each([
    ['ISSUER', { ISSUER: 'http://auth.example.com' }],
    ['UPSTASH_REDIS_REST_TOKEN', { UPSTASH_REDIS_REST_URL: 'https://x.upstash.io' }],
    ['SESSION_IDLE_TTL', { SESSION_TTL: '100', SESSION_IDLE_TTL: '200' }],
    ['ARGON2_MEMORY', { ARGON2_MEMORY: '65536', ARGON2_ITERATIONS: '10' }],
    ['SIGNING_KEY_LEAD', { SIGNING_KEY_TERM: '3600', SIGNING_KEY_LEAD: '3600' }],
    ['MAIL_FROM: Required', { RESEND_API_KEY: 're_1' }],
    ['MAIL_FROM: Required', { SMTP_HOST: 'smtp.example' }],
    ['SMTP_HOST', { RESEND_API_KEY: 're_1', SMTP_HOST: 'smtp.example', MAIL_FROM: 'a@example.com' }],
    ['SMTP_PASSWORD', { SMTP_HOST: 'smtp.example', SMTP_USER: 'a', MAIL_FROM: 'a@example.com' }],
    ['SMTP_TLS', { ...relayed, SMTP_USER: 'a', SMTP_PASSWORD: 'b', SMTP_TLS: 'none' }],
    ['REQUIRE_EMAIL_VERIFICATION', { REQUIRE_EMAIL_VERIFICATION: 'true' }],
  ])('refuses a contradiction and names %s', (name, variables) => {
    expect(() => readConfig({ ...complete, ...variables })).toThrow(name);
  });

  it.each([
    ['AUTH_SECRET', 'a'.repeat(64)],
    ['AUTH_SECRET', '1234'.repeat(16)],
    ['MAIL_FROM', 'canary'],
    ['MAIL_FROM', 'Canary <a@example.com>, b@example.com'],
    ['MAIL_FROM', 'Canary\r\nBcc: x <a@example.com>'],
    ['SERVICE_NAME', 'Canary <b>'],
    ['SERVICE_NAME', 'Canary\nService'],
    ['SMTP_HOST', 'smtp://canary'],
    ['SMTP_TLS', 'canary'],
    ['RESEND_BASE_URL', 'canary'],
    ['ISSUER', 'https://user:canary@auth.example.com'],
    ['ISSUER', 'https://auth.example.com/?tenant=canary'],
    ['ISSUER', 'https://auth.example.com/#canary'],
    ['ISSUER', 'https://auth.example.com/"canary'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'null'],
    ['CORS_ORIGINS', 'https://*.canary.example'],
    ['CORS_ORIGINS', 'https://app.example, https://canary.example/'],
    ['TRUSTED_PROXIES', '*'],
    ['TRUSTED_PROXIES', '0.0.0.0/0'],
    ['TRUSTED_PROXIES', '10.0.0.0/8 ::/0'],
    ['TRUSTED_PROXIES', 'canary'],
  ])('refuses a %s that opens a door or does nothing (%s)', (name, value) => {
    const read = () => readConfig({ ...complete, [name]: value });
    expect(read).toThrow(new RegExp(`^Invalid configuration\\. ${name}: `));
    expect(read).not.toThrow(/canary/i);
  });

  it('takes origins of web pages and of applications', () => {
    const origins = ['https://app.example', 'http://localhost:5173', 'capacitor://localhost'];
    expect(readConfig({ ...complete, CORS_ORIGINS: origins.join() }).corsOrigins).toEqual(origins);
  });

  it('knows who takes mails, and asks for verified addresses where they leave the house', () => {
    const mail = (variables: Record<string, string>) => {
      const { mail: taken, requireEmailVerification } = readConfig({ ...complete, ...variables });
      return [taken, requireEmailVerification];
    };
    const from = 'Auth <auth@example.com>';
    const smtp = { kind: 'smtp', host: 'smtp.example', port: 587, tls: 'starttls', credentials: undefined, from };
    expect(mail({})).toEqual([undefined, false]);
    expect(mail(relayed)).toEqual([smtp, true]);
    expect(mail({ ...relayed, REQUIRE_EMAIL_VERIFICATION: 'false' })).toEqual([smtp, false]);
    expect(mail({ ...relayed, SMTP_TLS: 'implicit', SMTP_USER: 'a', SMTP_PASSWORD: 'b' })).toEqual([
      { ...smtp, tls: 'implicit', port: 465, credentials: { user: 'a', password: 'b' } },
      true,
    ]);
    expect(mail({ RESEND_API_KEY: 're_1', MAIL_FROM: from, MAILBOX_URL: 'http://localhost:1' })).toEqual([
      { kind: 'resend', apiKey: 're_1', baseUrl: undefined, from },
      true,
    ]);
    expect(mail({ MAILBOX_URL: 'http://localhost:3001/', SERVICE_NAME: 'Example' })).toEqual([
      { kind: 'mailbox', url: 'http://localhost:3001', from: 'Example <no-reply@localhost>' },
      false,
    ]);
  });

  it('reads where traces go, and who may read metrics', () => {
    const token = 'a-token-of-16-ch';
    const { observability } = readConfig({
      ...complete,
      METRICS_TOKEN: `${token}, ${token}2=`,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b%2C%3D, x=y=z',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    });
    expect(observability).toEqual({
      metricsTokens: [token, `${token}2=`],
      interval: 10,
      serverTiming: false,
      otlp: {
        endpoint: 'http://collector:4318',
        headers: { 'api-key': 'a b,=', x: 'y=z' },
        serviceName: 'edge-auth',
      },
      traceRatio: 0.25,
    });
    expect(readConfig(complete).observability).toMatchObject({ metricsTokens: [], otlp: undefined, traceRatio: 1 });
    const wrong = {
      METRICS_TOKEN: ['canary-short', 'canary with blanks-16', 'canary-"quoted"-16'],
      METRICS_INTERVAL: ['0', '60'],
      OTEL_EXPORTER_OTLP_ENDPOINT: ['canary:4318', 'ftp://canary'],
      OTEL_EXPORTER_OTLP_HEADERS: ['canary', 'canary=%', 'canary=a%0d%0ax:y', 'ca nary=1', 'canary=\u0001'],
      OTEL_TRACES_SAMPLER_ARG: ['2', '-1', 'canary'],
    };
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        const read = () => readConfig({ ...complete, [name]: value });
        expect(read, value).toThrow(name);
        expect(read).not.toThrow('canary');
      }
    }
  });

  it('takes plain http for loopback addresses', () => {
    expect(readConfig({ ...complete, ISSUER: 'http://localhost:3000' }).issuer).toBe('http://localhost:3000');
  });
});
