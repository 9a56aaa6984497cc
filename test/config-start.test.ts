import { describe, expect, it } from 'vitest';
import { InvalidConfiguration, readConfig } from '../src/config.ts';
import { nodeRules } from '../src/config-rules.ts';
import type { plaintextNames } from '../src/config-transport.ts';
import { testSecret } from './support/secret.ts';

const complete = {
  AUTH_SECRET: testSecret,
  ISSUER: 'https://auth.acme.dev',
  DATABASE_URL: 'postgres://user:password@db.internal/database?sslmode=require',
};
const problemsOf = (variables: Record<string, string>): readonly string[] => {
  try {
    readConfig({ ...complete, ...variables }, nodeRules);
    return [];
  } catch (error) {
    return error instanceof InvalidConfiguration ? error.problems : [String(error)];
  }
};

describe('a wrong configuration', () => {
  it('names what is wrong by itself and what contradicts at once, and judges nothing by a wrong value', () => {
    const problems = problemsOf({
      PORT: 'canary',
      SESSION_TTL: 'canary',
      SESSION_IDLE_TTL: '99999999',
      SIGNING_KEY_LEAD: '3600',
      SIGNING_KEY_TERM: '3600',
      UPSTASH_REDIS_REST_TOKEN: 'canary',
      SMTP_USER: 'canary',
      RESEND_API_KEY: 'canary',
      EVENTS_QUEUE: 'true',
      REDIS_URL: 'redis://cache:6379',
      LIMIT_CANARY: '1/1',
    });
    const names = problems.map((problem) => problem.split(':')[0]).toSorted();
    expect(names).toEqual(
      [
        ...['EVENTS_QUEUE', 'LIMIT_CANARY', 'MAIL_FROM', 'PORT', 'REDIS_URL', 'SESSION_TTL', 'SIGNING_KEY_LEAD'],
        ...['SMTP_PASSWORD', 'UPSTASH_REDIS_REST_TOKEN'],
      ].toSorted(),
    );
    expect(problems.join().replaceAll('LIMIT_CANARY', '')).not.toMatch(/canary/i);
  });
});

describe('what travels to another host', () => {
  const plaintext: Readonly<Record<(typeof plaintextNames)[number], string>> = {
    DATABASE_URL: 'postgres://user:CANARY@db.internal/database',
    REDIS_URL: 'redis://:CANARY@cache.internal:6379',
    RABBITMQ_URL: 'amqp://user:CANARY@broker.internal',
    UPSTASH_REDIS_REST_URL: 'http://cache.internal',
    NEON_HTTP_ENDPOINT: 'http://db.internal/sql',
    RESEND_BASE_URL: 'http://mail.internal',
    BREACHED_PASSWORD_URL: 'http://pwned.internal',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.internal:4318',
  };
  const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'api-key=x' };
  const upstash = { ...headers, UPSTASH_REDIS_REST_TOKEN: 'x', UPSTASH_REDIS_REST_URL: 'https://cache.internal' };

  it.each(Object.entries(plaintext))(
    'goes over TLS outside development, unless ALLOW_PLAINTEXT names %s',
    (name, url) => {
      const given = { ...upstash, [name]: url };
      for (const ENVIRONMENT of ['production', 'staging']) {
        const [problem, ...others] = problemsOf({ ...given, ENVIRONMENT });
        expect(problem).toMatch(
          new RegExp(`^${name}: sends to another host without TLS\\. .+ALLOW_PLAINTEXT=${name} `),
        );
        expect(problem).not.toContain('CANARY');
        expect(others).toEqual([]);
      }
      expect(problemsOf({ ...given, ALLOW_PLAINTEXT: name })).toEqual([]);
      expect(problemsOf({ ...given, ENVIRONMENT: 'dev' })).toEqual([]);
      const encrypted = url
        .replace(/^http:/, 'https:')
        .replace('redis:', 'rediss:')
        .replace('amqp:', 'amqps:');
      const withTls = name === 'DATABASE_URL' ? `${url}?sslmode=verify-full` : encrypted;
      expect(problemsOf({ ...given, [name]: withTls })).toEqual([]);
      expect(problemsOf({ ...given, [name]: url.replace(/[a-z]+\.internal/, '127.0.0.1') })).toEqual([]);
    },
  );

  it('is judged by what the connection string says', () => {
    const problems = (query: string) =>
      problemsOf({ DATABASE_URL: `postgres://user:password@db.internal/database${query}` });
    const encrypted = ['prefer', 'allow', 'require', 'verify-ca', 'verify-full', 'no-verify'];
    for (const mode of encrypted) expect(problems(`?sslmode=${mode}&channel_binding=require`), mode).toEqual([]);
    expect(problems('?ssl=true')).toEqual([]);
    expect(problems('?sslmode=disable')).toHaveLength(1);
    expect(problems('?sslmode=encrypted')).toEqual([
      'DATABASE_URL: Expected sslmode to be one of disable, allow, prefer, require, verify-ca, verify-full, no-verify',
    ]);
    // The directory of a socket.
    expect(problemsOf({ DATABASE_URL: 'postgres://user@/database?host=/var/run/postgresql' })).toEqual([]);
    expect(problemsOf({ DATABASE_URL: 'postgres:///database?host=/var/run/postgresql' })).toEqual([]);
  });

  it('may be traces alone, which tell nothing of people', () => {
    const { OTEL_EXPORTER_OTLP_ENDPOINT } = plaintext;
    expect(problemsOf({ OTEL_EXPORTER_OTLP_ENDPOINT })).toEqual([]);
  });

  it('is a list of names that exist', () => {
    expect(problemsOf({ ALLOW_PLAINTEXT: 'true' })[0]).toContain('ALLOW_PLAINTEXT: Expected names among DATABASE_URL,');
  });
});

describe('an address with a password', () => {
  it.each([
    ['DATABASE_URL', 'postgres://user:can@ary@host/database'],
    ['DATABASE_URL', 'postgres://user:can#ary@host/database'],
    ['DATABASE_URL', 'postgres://user:can%ary@host/database'],
    ['DATABASE_URL', 'postgres://user:can/ary@host/database'],
    ['DATABASE_URL', 'postgres://user:can?ary@host/database'],
    ['REDIS_URL', 'rediss://:can@ary@host:6379'],
    ['RABBITMQ_URL', 'amqps://user:can#ary@host'],
  ])('has to be percent-encoded, and the message says how (%s, %#)', (name, url) => {
    const [problem = ''] = problemsOf({ [name]: url });
    expect(problem).toMatch(new RegExp(`^${name}: .*percent-encoded \\(%40 for @`));
    expect(problem).not.toMatch(/can|ary/);
  });

  it('is taken when it is', () => {
    const url = `postgres://user:${encodeURIComponent('p@ss/w#r?d%')}@host/database?sslmode=require`;
    expect(problemsOf({ DATABASE_URL: url })).toEqual([]);
  });
});

describe('the issuer', () => {
  it.each([
    'https://auth.example.com',
    'https://example.org/auth',
    'https://auth.staging.example.net',
    'https://auth.example',
    'https://auth.invalid',
    'https://auth.your-domain.com',
    'https://yourdomain.com',
    'https://auth.mydomain.com',
    'https://changeme.com',
  ])('is no example outside development (%s)', (ISSUER) => {
    expect(problemsOf({ ISSUER })[0]).toContain('ISSUER: is an example');
    expect(problemsOf({ ISSUER, ENVIRONMENT: 'staging' })).toHaveLength(1);
    expect(problemsOf({ ISSUER, ENVIRONMENT: 'dev' })).toEqual([]);
  });

  it.each(['https://auth.acme.io', 'https://examples.acme.com', 'https://your-domains.io', 'http://localhost:3000'])(
    'may have a name that reminds of one (%s)',
    (ISSUER) => {
      expect(problemsOf({ ISSUER })).toEqual([]);
    },
  );
});

it('the mailbox of development is for development', () => {
  expect(problemsOf({ MAILBOX_URL: 'http://localhost:3001' })[0]).toContain('MAILBOX_URL: is for development only');
});

it('new signing keys have 2048, 3072 or 4096 bits', () => {
  expect(readConfig(complete).signingKeyBits).toBe(2048);
  expect(readConfig({ ...complete, SIGNING_KEY_BITS: '3072' }).signingKeyBits).toBe(3072);
  expect(problemsOf({ SIGNING_KEY_BITS: '1024' })).toEqual(['SIGNING_KEY_BITS: Expected 2048, 3072 or 4096']);
});
