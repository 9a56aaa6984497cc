// On Node only: it is about files of the project.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readDotEnv } from '../../dev/dot-env.ts';
import { readConfig, variableNames } from '../../src/config.ts';
import { testSecret } from '../support/secret.ts';

const example = readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8');
/** Every variable that is given there, as if it were set. */
const given = Object.entries(parseEnv(example.replaceAll(/^# ([A-Z][A-Z_]*=.*)$/gm, '$1')));

describe('.env.example', () => {
  it('sets nothing as it stands', () => {
    expect(parseEnv(example)).toEqual({});
  });

  it('names common variables, each of which is read', () => {
    const names = given.map(([name]) => name);
    expect(names.filter((name) => !variableNames.has(name) && name !== 'DATA_DIR')).toEqual([]);
    expect(names).toEqual(
      expect.arrayContaining(['AUTH_SECRET', 'ISSUER', 'DATABASE_URL', 'REDIS_URL', 'SMTP_HOST', 'CORS_ORIGINS']),
    );
  });

  it('gives values that are good together', () => {
    const set = Object.fromEntries(given.filter(([, value]) => value !== ''));
    expect(() => readConfig({ ...set, AUTH_SECRET: testSecret })).not.toThrow();
  });
});

describe('.env', () => {
  const place = (text?: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'edge-auth-env-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, '.env');
    if (text !== undefined) writeFileSync(file, text);
    return file;
  };

  it('gives the Worker of npm run dev what it can use, and names the rest', () => {
    const read = readDotEnv(
      place(
        'PORT=9000\nDATA_DIR=x\nSERVICE_NAME="My Auth"\nSMTP_HOST=smtp.example\nDATABASE_URL=postgres://h/d\nHOME=/x\nDOCS=\n',
      ),
    );
    expect(read.forWorker).toEqual({ SERVICE_NAME: 'My Auth' });
    expect(read.unused.toSorted()).toEqual(['DATABASE_URL', 'SMTP_HOST']);
    expect(read.all['PORT']).toBe('9000');
  });

  it('names what is not quite a variable', () => {
    const { misspelt } = readDotEnv(place('CORS_ORIGIN=http://localhost:5173\nEDITOR=vi\n'));
    expect(misspelt).toEqual([{ name: 'CORS_ORIGIN', meant: 'CORS_ORIGINS', advice: 'Did you mean CORS_ORIGINS?' }]);
  });

  it('may be missing', () => {
    expect(readDotEnv(place())).toEqual({ all: {}, forWorker: {}, unused: [], misspelt: [] });
  });
});
