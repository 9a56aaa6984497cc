import { describe, expect, it } from 'vitest';
import { findMisspelt, readConfig, variableNames } from '../src/config.ts';
import { testSecret } from './support/secret.ts';

const complete = {
  AUTH_SECRET: testSecret,
  ISSUER: 'https://auth.acme.dev',
  DATABASE_URL: 'postgres://user:password@host/database',
};

describe('a variable of a name that nothing reads', () => {
  it.each([
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['ACESS_TOKEN_TTL', 'ACCESS_TOKEN_TTL'],
    ['ACCESS_TOKEN_LIFETIME', 'ACCESS_TOKEN_TTL'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['SMTP_HOSTNAME', 'SMTP_HOST'],
    ['SMPT_PORT', 'SMTP_PORT'],
    ['SMTP_PASS', 'SMTP_PASSWORD'],
    ['SMTP_PASWORD_FILE', 'SMTP_PASSWORD_FILE'],
    ['TRUSTED_PROXY', 'TRUSTED_PROXIES'],
    ['ENVIROMENT', 'ENVIRONMENT'],
    ['ISUER', 'ISSUER'],
    ['WORKER', 'WORKERS'],
    ['DATA_DIRS', 'DATA_DIR'],
  ])('is told apart from the one that was meant (%s, %s)', (name, meant) => {
    const { misspelt } = readConfig({ ...complete, [name]: 'canary' });
    expect(misspelt).toEqual([{ name, meant, advice: `Did you mean ${meant}?` }]);
  });

  it('of a kind that only the service has comes with the names of that kind', () => {
    const [found] = readConfig({ ...complete, SMTP_SECURE: 'true' }).misspelt;
    expect(found).toMatchObject({ name: 'SMTP_SECURE', meant: undefined });
    expect(found?.advice).toMatch(/^The service does not read it\. Variables of this kind are SMTP_HOST, .*SMTP_TLS/);
  });

  it('is named where the one that was meant is missing', () => {
    const { AUTH_SECRET, ...others } = complete;
    expect(() => readConfig({ ...others, AUTH_SECRT: AUTH_SECRET })).toThrow(
      'AUTH_SECRET: Required (AUTH_SECRT is set: is it misspelt?)',
    );
  });

  it('raises no alarm where others use it', () => {
    const tcp = 'tcp://10.0.0.1:25';
    const usual = [
      ...['PATH', 'HOME', 'HOSTNAME', 'HOSTTYPE', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'TERM', 'PWD', 'OLDPWD', 'SHLVL'],
      ...[
        'TZ',
        'MAIL',
        'MAILCHECK',
        'EDITOR',
        'SESSION_MANAGER',
        'DISPLAY',
        'XDG_SESSION_ID',
        'DBUS_SESSION_BUS_ADDRESS',
      ],
      ...['SSH_AUTH_SOCK', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'HTTP_PROXY', 'NO_PROXY', 'NODE_ENV', 'NODE_OPTIONS', 'CI'],
      ...['NODE_VERSION', 'YARN_VERSION', 'npm_config_cache', 'npm_lifecycle_event', 'INIT_CWD', 'COLOR', 'API_URL'],
      ...[
        'KUBERNETES_SERVICE_HOST',
        'KUBERNETES_PORT',
        'KUBERNETES_PORT_443_TCP_ADDR',
        'INVOCATION_ID',
        'JOURNAL_STREAM',
      ],
      ...['SMTP_SERVICE_HOST', 'SMTP_SERVICE_PORT_SMTP', 'SMTP_PORT_25_TCP_PROTO', 'RABBITMQ_PORT_5672_TCP'],
      ...['RABBITMQ_DEFAULT_USER', 'OTEL_RESOURCE_ATTRIBUTES', 'OTEL_EXPORTER_OTLP_PROTOCOL', 'AWS_REGION'],
      ...[
        'POSTGRES_USER',
        'PGHOST',
        'PGUSER',
        'DATABASE_PRIVATE_URL',
        'REDIS_PASSWORD',
        'VITEST',
        'MANPATH',
        'PS1',
        '_',
      ],
    ];
    const set = Object.fromEntries(usual.map((name) => [name, 'x']));
    expect(findMisspelt({ ...set, RABBITMQ_PORT: tcp, EVENTS_PORT: tcp, SMTP_PORT: '25' })).toEqual([]);
    const known = Object.fromEntries(
      [...variableNames].flatMap((name) => [[name, 'x'] as const, [`${name}_FILE`, 'x']]),
    );
    expect(findMisspelt(known)).toEqual([]);
  });
});
