// Node only: reads and writes files.
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readSecrets } from '../../dev/secrets.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edge-auth-secrets-'));
  path = join(directory, '.dev.vars');
});

afterEach(() => rm(directory, { recursive: true }));

it('makes the file on first use, for its owner only, with 32 random bytes', async () => {
  const made = await readSecrets(path);
  expect(Object.keys(made)).toEqual(['AUTH_SECRET']);
  expect(Buffer.from(made['AUTH_SECRET'] ?? '', 'base64url')).toHaveLength(32);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(['.dev.vars']);
});

it('gives the same secret ever after', async () => {
  const made = await readSecrets(path);
  const text = await readFile(path, 'utf8');
  expect(await readSecrets(path)).toEqual(made);
  expect(await readFile(path, 'utf8')).toBe(text);
});

it('gives one secret to several first runs at once', async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => readSecrets(path)));
  expect(new Set(made.map((variables) => variables['AUTH_SECRET'])).size).toBe(1);
});

it('leaves what is there, its mode included, and reads quotes and comments', async () => {
  const text = '# mine\nAUTH_SECRET=\'a$b #c\'\nexport OTHER="x y"\n';
  await writeFile(path, text);
  await chmod(path, 0o640);
  expect(await readSecrets(path)).toEqual({ AUTH_SECRET: 'a$b #c', OTHER: 'x y' });
  expect(await readFile(path, 'utf8')).toBe(text);
  expect((await stat(path)).mode & 0o777).toBe(0o640);
});

it('adds a secret to a file that has none, and nothing else', async () => {
  await writeFile(path, 'OTHER=1');
  const variables = await readSecrets(path);
  expect(variables).toMatchObject({ OTHER: '1', AUTH_SECRET: expect.stringMatching(/^[\w-]{43}$/) });
  expect(await readFile(path, 'utf8')).toBe(`OTHER=1\nAUTH_SECRET=${variables['AUTH_SECRET']}\n`);
});
