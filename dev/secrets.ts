import { randomBytes } from 'node:crypto';
import { appendFile, link, readFile, rm, writeFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';

/**
 * Reads the variables for local use from `.dev.vars`, which is made on first use (mode 0600) with a fresh AUTH_SECRET of
 * 32 random bytes. What is in the file already stays as it is; an AUTH_SECRET is added where none is named.
 * @param path of the file
 * @returns every variable in it
 */
export async function readSecrets(path: string): Promise<Record<string, string>> {
  const line = `AUTH_SECRET=${randomBytes(32).toString('base64url')}\n`;
  await createOnce(path, `# Made for local use; keep it out of version control.\n${line}`);
  const text = await readFile(path, 'utf8');
  if (parse(text)['AUTH_SECRET'] !== undefined) {
    return parse(text);
  }
  await appendFile(path, text === '' || text.endsWith('\n') ? line : `\n${line}`);
  return parse(await readFile(path, 'utf8'));
}

/** Whole or not at all, and never over an existing file, also when two first runs meet. */
async function createOnce(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      throw error;
    }
  } finally {
    await rm(draft);
  }
}

function parse(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseEnv(text))) {
    variables[name] = value ?? '';
  }
  return variables;
}
