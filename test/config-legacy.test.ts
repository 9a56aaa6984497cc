import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { testSecret } from './support/secret.ts';
import { testApp } from './support/test-app.ts';

const secret = testSecret;
const complete = { AUTH_SECRET: secret, ISSUER: 'https://auth.acme.dev', DATABASE_URL: 'postgres://u:p@host/d' };

describe('variables of older services', () => {
  it.each([
    [{ ACCESS_TOKEN_EXPIRE_MINUTES: '1440' }, { accessTokenTtl: 86_400 }],
    [{ JWT_ACCESS_TOKEN_EXPIRE_MINUTES: '30' }, { accessTokenTtl: 1800 }],
    [{ REFRESH_TOKEN_EXPIRE_MINUTES: '43200' }, { sessionIdleTtl: 2_592_000, sessionTtl: 2_592_000 }],
    [{ JWT_REFRESH_TOKEN_EXPIRE_DAYS: '14' }, { sessionIdleTtl: 1_209_600, sessionTtl: 2_592_000 }],
    [{ JWT_REFRESH_TOKEN_EXPIRE_DAYS: '60' }, { sessionIdleTtl: 5_184_000, sessionTtl: 5_184_000 }],
    [{ REDIS_HOST: 'localhost' }, { redisUrl: 'redis://localhost:6379/0' }],
    [{ REDIS_HOST: 'cache', REDIS_PORT: '6380', REDIS_DB: '2' }, { redisUrl: 'redis://cache:6380/2' }],
    [{ REDIS_HOST: 'cache', REDIS_PORT: 'tcp://10.0.0.1:6379' }, { redisUrl: 'redis://cache:6379/0' }],
    [{ APP_NAME: 'Auth Service' }, { serviceName: 'Auth Service' }],
    [{ DEBUG: 'True' }, { logLevel: 'debug' }],
    [{ DEBUG: 'False' }, { logLevel: 'info' }],
    [{ LOG_LEVEL: 'INFO' }, { logLevel: 'info' }],
    [{ LOG_LEVEL: 'WARNING' }, { logLevel: 'warn' }],
  ])('%o means the same here', (older, meant) => {
    expect(readConfig({ ...complete, ...older })).toMatchObject(meant);
  });

  it('name the mail server in either of two ways', () => {
    const credentials = { user: 'your-email@gmail.com', password: 'your-app-password' };
    const meant = { kind: 'smtp', host: 'smtp.gmail.com', port: 587, credentials, from: 'your-email@gmail.com' };
    const mail = { MAIL_SERVER: 'smtp.gmail.com', MAIL_PORT: '587' };
    const flask = { ...mail, MAIL_USERNAME: credentials.user, MAIL_PASSWORD: credentials.password };
    const smtp = { SMTP_HOST: 'smtp.gmail.com', SMTP_PORT: '587' };
    const fastApi = { ...smtp, SMTP_USERNAME: credentials.user, SMTP_PASSWORD: credentials.password };
    for (const older of [flask, fastApi]) expect(readConfig({ ...complete, ...older }).mail).toMatchObject(meant);
    // A name that is not an address says nothing about who mails come from.
    expect(() => readConfig({ ...complete, ...fastApi, SMTP_USERNAME: 'apikey' })).toThrow(
      'MAIL_FROM: Required (SMTP_USERNAME is set, but is not an address)',
    );
  });

  it('name the database by its parts', () => {
    const { AUTH_SECRET, ISSUER } = complete;
    const parts = { DB_HOST: 'db', DB_PORT: '5433', DB_USER: 'auth_user', DB_PASSWORD: 'p@ss/w:d', DB_TABLE: 'auth' };
    const config = readConfig({ AUTH_SECRET, ISSUER, ...parts });
    expect(config.database.url).toBe('postgres://auth_user:p%40ss%2Fw%3Ad@db:5433/auth');
    expect(config.renamed).toEqual([{ old: 'DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_TABLE', name: 'DATABASE_URL' }]);
    const urlOf = (older: Record<string, string>) => readConfig({ AUTH_SECRET, ISSUER, ...older }).database.url;
    // Its host is the machine itself where it is not named.
    expect(urlOf({ DB_PASSWORD: 'password' })).toBe('postgres://auth_user:password@localhost:5432/auth');
    expect(urlOf({ DB_PORT: '5433' })).toBe('postgres://auth_user@localhost:5433/auth');
    // As Kubernetes names a service `db`, which nobody asked for.
    expect(() => urlOf({ DB_PORT: 'tcp://10.0.0.1:5432' })).toThrow('DATABASE_URL: Required');
    expect(readConfig({ ...complete, ...parts })).toMatchObject({
      database: { url: complete.DATABASE_URL },
      renamed: [],
    });
  });

  it('name no root secret: everybody who verified tokens knows those of older services', () => {
    const { ISSUER, DATABASE_URL } = complete;
    for (const name of ['SECRET_KEY', 'JWT_SECRET_KEY']) {
      const read = () => readConfig({ ISSUER, DATABASE_URL, [name]: secret });
      expect(read).toThrow(`AUTH_SECRET: Required (${name} is set, but is not used, because every service`);
      expect(read).toThrow('openssl rand -base64 32');
      expect(read).not.toThrow(secret);
    }
    const other = { SECRET_KEY: 'CANARY', ALGORITHM: 'HS256', JWT_PRIVATE_KEY: 'CANARY' };
    const config = readConfig({ ...complete, ...other });
    expect(config.secrets).toEqual([secret]);
    expect(config.meaningless).toEqual(['ALGORITHM', 'JWT_PRIVATE_KEY', 'SECRET_KEY']);
  });

  it('give way to ours, and say by which name a wrong value came', () => {
    const both = {
      SERVER_TIMING: 'false',
      ACCESS_TOKEN_TTL: '600',
      ACCESS_TOKEN_EXPIRE_MINUTES: '30',
      LOG_LEVEL: 'error',
      DEBUG: 'true',
    };
    expect(readConfig({ ...complete, ...both })).toMatchObject({ accessTokenTtl: 600, logLevel: 'error', renamed: [] });
    expect(() => readConfig({ ...complete, ACCESS_TOKEN_EXPIRE_MINUTES: 'canary' })).toThrow(
      'ACCESS_TOKEN_TTL (from ACCESS_TOKEN_EXPIRE_MINUTES)',
    );
  });

  it('are logged with the new name, one line each, and never with their value', async () => {
    const { logLines } = await testApp({
      variables: { ACCESS_TOKEN_EXPIRE_MINUTES: '1440', APP_NAME: 'Canary', ALGORITHM: 'Canary', ENVIRONMENT: 'dev' },
    });
    const lines = logLines.filter((line) => line.includes('variable_has_a_new_name'));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'warn', old: 'ACCESS_TOKEN_EXPIRE_MINUTES', new: 'ACCESS_TOKEN_TTL' },
      { level: 'warn', old: 'APP_NAME', new: 'SERVICE_NAME' },
    ]);
    expect(logLines.join()).toContain('"variable_means_nothing_here","name":"ALGORITHM"');
    expect(logLines.join()).not.toMatch(/1440|86400|Canary/);
  });
});
