import { readFileSync } from 'node:fs';
import { InvalidConfiguration, problemsOf, variableNames } from '../config.ts';

const suffix = '_FILE';

/**
 * Puts the contents of files in the place of the variables that name them: `<NAME>_FILE` gives `<NAME>`, for each
 * variable that the configuration reads, by its older names too. A byte order mark and one line break at the end are no part of
 * the value.
 * @param environment variables by name; the others are left as they are
 * @param check reads the configuration, so that what else is wrong is told at once
 * @throws {ConfigError} naming every variable that is set twice or whose file cannot be read, never what is in a file
 */
export function withSecretFiles(
  environment: Readonly<Record<string, string | undefined>>,
  check: (environment: Readonly<Record<string, string | undefined>>) => unknown = () => undefined,
): Readonly<Record<string, string | undefined>> {
  const all = { ...environment };
  const wrong: string[] = [];
  const unread = new Set<string>();
  for (const [variable, path = ''] of Object.entries(environment)) {
    const name = variable.slice(0, -suffix.length);
    // TLS_CERT_FILE is a name of its own; SSL_CERT_FILE and the like are not ours.
    if (!variable.endsWith(suffix) || variableNames.has(variable) || !variableNames.has(name) || path === '') continue;
    if ((environment[name] ?? '') !== '') {
      wrong.push(`${name}: set either this or ${variable}`);
      continue;
    }
    try {
      all[name] = readFileSync(path, 'utf8')
        .replace(/^\uFEFF/, '')
        .replace(/\r?\n$/, '');
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      wrong.push(`${variable}: the service cannot read the file (${code})`);
      unread.add(name);
    }
  }
  if (wrong.length === 0) return all;
  const others = problemsOf(() => check(all)).filter((each) => !unread.has(each.split(':')[0] ?? ''));
  throw new InvalidConfiguration([...wrong, ...others]);
}
