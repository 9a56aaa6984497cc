// On Node only: Workers have no files.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { withSecretFiles } from '../../src/node/secret-files.ts';

const directory = mkdtempSync(join(tmpdir(), 'edge-auth-secrets-'));
afterAll(() => rmSync(directory, { recursive: true }));

const file = (content: string) => {
  const path = join(directory, crypto.randomUUID());
  writeFileSync(path, content);
  return path;
};

describe('variables that come from files', () => {
  it('are any that the configuration reads, under older names too, without a byte order mark and the line break at the end', () => {
    const given = {
      AUTH_SECRET_FILE: file('canary \n'),
      DB_PASSWORD_FILE: file('\uFEFFolder\r\n'),
      LIMIT_LOGIN_ADDRESS_FILE: file('60/60'),
      REDIS_URL: 'redis://host',
      REDIS_URL_FILE: '',
    };
    expect(withSecretFiles(given)).toEqual({
      ...given,
      AUTH_SECRET: 'canary ',
      DB_PASSWORD: 'older',
      LIMIT_LOGIN_ADDRESS: '60/60',
    });
  });

  it('leave names alone that mean something else', () => {
    const others = { TLS_CERT_FILE: '/nowhere', TLS_KEY_FILE: '/nowhere', SSL_CERT_FILE: '/nowhere', FILE: '/nowhere' };
    expect(withSecretFiles(others)).toEqual(others);
  });

  it('are refused by name where they are set twice or cannot be read, and no content is told', () => {
    const wrong = {
      AUTH_SECRET: 'canary-value',
      AUTH_SECRET_FILE: file('canary-content'),
      DATABASE_URL_FILE: join(directory, 'missing'),
      REDIS_URL_FILE: directory,
      ISSUER_FILE: file('canary-content'),
    };
    const read = () => withSecretFiles(wrong);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow('AUTH_SECRET: set either this or AUTH_SECRET_FILE');
    expect(read).toThrow('DATABASE_URL_FILE: the service cannot read the file (ENOENT)');
    expect(read).toThrow('REDIS_URL_FILE: the service cannot read the file (EISDIR)');
    expect(read).not.toThrow(/canary|ISSUER/);
  });
});
