import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { findMisspelt, variableNames } from '../src/config.ts';
import type { Misspelt } from '../src/config-names.ts';

/** What `npm run dev` decides itself, since its parts have to fit together. */
const decided: ReadonlySet<string> = new Set(['ENVIRONMENT', 'DATABASE_URL', 'NEON_HTTP_ENDPOINT', 'MAILBOX_URL']);
/** What only `npm start` can use. */
const ofNode =
  /^(?:SMTP_|MAIL_(?:SERVER|PORT)|RABBITMQ_|REDIS_|DB_|TLS_|SSL_|HOST$|WORKERS$|TRUSTED_PROXIES$|MIGRATE_ON_START$|DATABASE_POOL_SIZE$|SHUTDOWN_DELAY$)/;

export interface DotEnv {
  /** Every variable of the file. */
  readonly all: Readonly<Record<string, string>>;
  /** Those that the Worker gets. */
  readonly forWorker: Readonly<Record<string, string>>;
  /** The names of others that the service knows. */
  readonly unused: readonly string[];
  /** Names that nothing reads, since they are not quite those of ours. */
  readonly misspelt: readonly Misspelt[];
}

/** Reads `.env` as Node does; a file that is not there is empty. */
export function readDotEnv(path: string): DotEnv {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const all = Object.fromEntries(
    Object.entries(parseEnv(text)).flatMap(([name, value = '']) => (value === '' ? [] : [[name, value] as const])),
  );
  const known = Object.keys(all).filter((name) => variableNames.has(name) && name !== 'PORT');
  const isUsed = (name: string) => !decided.has(name) && !ofNode.test(name);
  const forWorker = Object.fromEntries(known.filter(isUsed).map((name) => [name, all[name] ?? '']));
  return { all, forWorker, unused: known.filter((name) => !isUsed(name)), misspelt: findMisspelt(all) };
}
