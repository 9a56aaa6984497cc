import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';
import { lockouts, policies } from '../src/limits/policies.ts';
import { testSecret } from './support/secret.ts';

const secret = testSecret;

const complete = {
  AUTH_SECRET: secret,
  ISSUER: 'https://auth.acme.dev/',
  DATABASE_URL: 'postgres://user:password@host/database',
};

const signing = `whsec_${btoa('the secret of a receiver, no two alike')}`;
const webhook = { name: 'billing', url: 'https://receiver.example/events', secrets: [signing] };

const relayed = { SMTP_HOST: 'smtp.example', MAIL_FROM: 'Auth <auth@example.com>' };

describe('the configuration', () => {
  it('needs a secret, an issuer and a database, and has defaults for all else', () => {
    expect(readConfig(complete)).toMatchObject({
      environment: 'production',
      secrets: [secret],
      issuer: 'https://auth.acme.dev',
      audience: 'https://auth.acme.dev',
      accessTokenTtl: 900,
      sessionTtl: 2_592_000,
      sessionIdleTtl: 604_800,
      refreshGrace: 30,
      slowRequestMs: 5000,
      argon2: { memory: 19_456, iterations: 2 },
      limits: policies,
      lockouts,
    });
  });

  it('has no grace window that closes before an obedient client can try again', () => {
    const read = (variables: Record<string, string>) => () => readConfig({ ...complete, ...variables });
    expect(read({ REFRESH_GRACE: '14' })).toThrow(/REFRESH_GRACE: must be at least 15, since an answer may take 5 s/);
    expect(read({ REFRESH_GRACE: '15' })().refreshGrace).toBe(15);
    expect(read({ REFRESH_GRACE: '600', SESSION_IDLE_TTL: '600' })).toThrow('must be less than SESSION_IDLE_TTL');
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

  it('counts empty variables and bindings as unset', () => {
    expect(readConfig({ ...complete, AUDIENCE: '', PORT: ' ', EVENTS: {} })).toMatchObject({ port: 3000 });
  });

  it('refuses the name of a limit that there is not', () => {
    const read = () => readConfig({ ...complete, LIMIT_LOGIN_ADRESS: '3/600', LOCKOUT_ACCOUNTS: '1/1/1/1' });
    expect(read).toThrow(/LIMIT_LOGIN_ADRESS: no limit has this name. Did you mean LIMIT_LOGIN_ADDRESS\?\n/);
    expect(read).toThrow(/LOCKOUT_ACCOUNTS: no limit has this name. Did you mean LOCKOUT_ACCOUNT\?$/);
    expect(() => readConfig({ ...complete, LIMIT_LOGIN_ADDRESS: '', LIMIT_LOGIN_ADDRESS_FILE: '/x' })).not.toThrow();
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
    ['EVENTS_REDIS_STREAM', { EVENTS_REDIS_STREAM: 'events' }],
    ['REQUIRE_EMAIL_VERIFICATION', { REQUIRE_EMAIL_VERIFICATION: 'true' }],
  ])('refuses a contradiction and names %s', (name, variables) => {
    expect(() => readConfig({ ...complete, ...variables })).toThrow(name);
  });

  it.each([
    ['MAIL_FROM', 'canary'],
    ['MAIL_FROM', 'Canary <a@example.com>, b@example.com'],
    ['MAIL_FROM', 'Canary\r\nBcc: x <a@example.com>'],
    ['SERVICE_NAME', 'Canary <b>'],
    ['SERVICE_NAME', 'Canary\nService'],
    ['SMTP_HOST', 'smtp://canary'],
    ['SMTP_TLS', 'canary'],
    ['RESEND_BASE_URL', 'canary'],
    ['RABBITMQ_URL', 'https://user:canary@host'],
    ['RABBITMQ_URL', 'amqp://user:canary%@host'],
    ['RABBITMQ_EXCHANGE', 'amq.canary'],
    ['EVENTS_REDIS_STREAM', 'canary stream'],
    ['EVENTS_REDIS_STREAM_MAXLEN', '0'],
    ['WEBHOOKS', 'canary'],
    ['WEBHOOKS', '{"canary":true}'],
    ['ISSUER', 'https://user:canary@auth.example.com'],
    ['ISSUER', 'https://auth.acme.dev/?tenant=canary'],
    ['ISSUER', 'https://auth.acme.dev/#canary'],
    ['ISSUER', 'https://auth.acme.dev/"canary'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'null'],
    ['CORS_ORIGINS', 'https://*.canary.example'],
    ['CORS_ORIGINS', 'https://app.example, https://canary.example/'],
    ['TRUSTED_PROXIES', '*'],
    ['TRUSTED_PROXIES', '0.0.0.0/0'],
    ['TRUSTED_PROXIES', '10.0.0.0/8 ::/0'],
    ['TRUSTED_PROXIES', 'canary'],
    ['ENVIRONMENT: Must be dev, staging or production', 'canary'],
    ['LOG_LEVEL: Must be debug, info, warn, error or silent', 'canary'],
    ['REQUIRE_EMAIL_VERIFICATION: Must be true or false', 'canary'],
    ['DOCS: Must be on or off', 'canary'],
    ['PORT: Must be a whole number from 0 to 65535', 'canary'],
    ['PORT: Must be a whole number from 0 to 65535', '80.5'],
    ['PORT: Must be a whole number from 0 to 65535', '70000'],
    ['ACCESS_TOKEN_TTL: Must be a whole number of seconds, at least 60', '15m'],
    ['SLOW_REQUEST_MS: Must be a whole number, at least 1', 'canary'],
    ['OTEL_TRACES_SAMPLER_ARG: Must be a number from 0 to 1', 'canary'],
    ['APP_URL: Expected an address such as', 'canary'],
    ['NEON_HTTP_ENDPOINT: Must be a web address, such as https://host', 'canary'],
    ['METRICS_TOKEN: entry 2: Each needs', 'a-token-of-16-characters,canary'],
    ['CORS_ORIGINS: entry 2 needs https:// in front', 'https://app.example,canary.example'],
    ['CORS_ORIGINS: entry 1 needs https:// in front', 'canary.example:8443'],
    ['CORS_ORIGINS: entry 1 must end after the host and the port', 'https://canary.example/path'],
    ['CORS_ORIGINS: entry 1 must be in small letters', 'https://Canary.example'],
    ['CORS_ORIGINS: entry 1: Expected origins', 'https://user:canary@host'],
    ['CORS_ORIGINS: entry 1: Expected origins', '"https://canary.example"'],
  ])('refuses a %s that opens a door or does nothing (%s)', (told, value) => {
    const [name = ''] = told.split(':');
    const read = () => readConfig({ ...complete, [name]: value });
    expect(read).toThrow(new RegExp(`^Invalid configuration\\. ${name}: `));
    expect(read).toThrow(`Invalid configuration. ${told}`);
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
    const dev = { ENVIRONMENT: 'dev', MAILBOX_URL: 'http://localhost:1' };
    expect(mail({ RESEND_API_KEY: 're_1', MAIL_FROM: from, ...dev })).toEqual([
      { kind: 'resend', apiKey: 're_1', baseUrl: undefined, from },
      true,
    ]);
    expect(mail({ ...dev, MAILBOX_URL: 'http://localhost:3001/', SERVICE_NAME: 'Example' })).toEqual([
      { kind: 'mailbox', url: 'http://localhost:3001', from: 'Example <no-reply@localhost>' },
      false,
    ]);
  });

  it('knows who takes events, each by a name and with its types', () => {
    const sinks = (variables: Record<string, string>) => readConfig({ ...complete, ...variables }).eventSinks;
    expect(sinks({ EVENTS_QUEUE: 'false', RABBITMQ_EXCHANGE: 'unused' })).toEqual([]);
    const url = 'amqp://guest:guest@localhost/';
    expect(
      sinks({ RABBITMQ_URL: url, EVENTS_QUEUE: '1', EVENTS_REDIS_STREAM: 'events', REDIS_URL: 'redis://r' }),
    ).toEqual([
      { kind: 'rabbitmq', name: 'rabbitmq', types: undefined, url, exchange: 'auth.events', mandatory: false },
      { kind: 'queue', name: 'queue', types: undefined },
      { kind: 'redis-stream', name: 'redis-stream', types: undefined, stream: 'events', maxLength: 100_000 },
    ]);
    const webhooks = [
      { ...webhook, types: ['UserCreated'] },
      { ...webhook, name: 'crm' },
    ];
    const { url: target, secrets } = webhook;
    expect(sinks({ WEBHOOKS: JSON.stringify(webhooks) })).toEqual([
      { kind: 'webhook', name: 'webhook:billing', types: ['UserCreated'], url: target, secrets, allowPrivate: false },
      { kind: 'webhook', name: 'webhook:crm', types: undefined, url: target, secrets, allowPrivate: false },
    ]);
  });

  it.each<[string, unknown]>([
    ['WEBHOOKS[1].name', { name: 'Canary!' }],
    ['WEBHOOKS[1].name: Appears twice', { name: 'first' }],
    ['WEBHOOKS[1].url', { url: 'canary' }],
    ['WEBHOOKS[1].url', { url: 'ftp://canary.example' }],
    ['WEBHOOKS[1].url', { url: 'http://canary.example' }],
    ['WEBHOOKS[1].url', { url: 'https://user:canary@receiver.example' }],
    ['WEBHOOKS[1].url', { url: 'https://169.254.169.254/canary' }],
    ['WEBHOOKS[1].secrets', { secrets: [] }],
    ['WEBHOOKS[1].secrets', { secrets: [signing, signing] }],
    ['WEBHOOKS[1].secrets[0]', { secrets: ['canary'] }],
    ['WEBHOOKS[1].secrets[1]', { secrets: [signing, 'whsec_canary'] }],
    ['WEBHOOKS[1].secrets[0]: Needs', { secrets: [`whsec_${btoa('canary')}`] }],
    ['WEBHOOKS[1].secrets[0]: Needs', { secrets: [`whsec_${btoa('c'.repeat(32))}`] }],
    ['WEBHOOKS[1].types', { types: [] }],
    ['WEBHOOKS[1].types[1]', { types: ['UserCreated', 'Canary'] }],
    ['WEBHOOKS[1]', { canary: true }],
    ['WEBHOOKS[1]', 'canary'],
  ])('says where in the webhooks something is wrong (%s), and never what stands there', (place, wrong) => {
    const second = typeof wrong === 'string' ? wrong : Object.assign({ ...webhook }, wrong);
    const WEBHOOKS = JSON.stringify([{ ...webhook, name: 'first' }, second]);
    const read = () => readConfig({ ...complete, WEBHOOKS });
    expect(read).toThrow(`Invalid configuration. ${place}`);
    expect(read).not.toThrow(/canary/i);
    expect(read).not.toThrow(signing);
  });

  it('takes webhooks over http and in private networks where that is allowed', () => {
    const WEBHOOKS = JSON.stringify([{ ...webhook, url: 'http://10.0.0.1:8080/events' }]);
    expect(readConfig({ ...complete, WEBHOOKS, WEBHOOK_ALLOW_PRIVATE: 'true' }).eventSinks).toMatchObject([
      { url: 'http://10.0.0.1:8080/events', allowPrivate: true },
    ]);
  });

  it('has personal data in events unless told otherwise', () => {
    expect(readConfig(complete).eventsPersonalData).toBe(true);
    expect(readConfig({ ...complete, EVENTS_PERSONAL_DATA: 'false' }).eventsPersonalData).toBe(false);
  });

  it('reads where traces go, and who may read metrics', () => {
    const token = 'a-token-of-16-ch';
    const { observability } = readConfig({
      ...complete,
      METRICS_TOKEN: `${token}, ${token}2=`,
      ALLOW_PLAINTEXT: 'OTEL_EXPORTER_OTLP_ENDPOINT',
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
