import { type Config, ConfigError } from '../config.ts';
import { createKeyring } from '../crypto/derive.ts';
import type { Log } from '../ops/log.ts';
import { createPostgres } from '../platform/postgres.ts';
import { migrate } from '../platform/postgres-migrations.ts';
import { explainDatabaseFailure } from '../platform/postgres-reasons.ts';
import { refuseWrongSecret } from '../tokens/secret-guard.ts';
import { reportUnreachable } from './reachable.ts';
import { readTls } from './tls.ts';

/** The service cannot start without this; `cause` says why it does not answer. */
export class DependencyFailed extends Error {
  override readonly name = 'DependencyFailed';
  readonly dependency: string;
  /** What to do, in a sentence. */
  readonly advice: string;

  constructor(dependency: string, advice: string, cause: unknown) {
    super(`${dependency} failed`, { cause });
    this.dependency = dependency;
    this.advice = advice;
  }
}

/**
 * What is done once, however many processes serve: checks what the configuration names, warns of what it lacks, and
 * brings the schema up to date.
 * @param signal breaks off what is waited for
 * @throws {ConfigError}
 * @throws {DependencyFailed}
 */
export async function prepare(config: Config, log: Log, signal: AbortSignal): Promise<void> {
  if (config.tls !== undefined) await readTls(config.tls);
  warn(config, log);
  const reporting = reportUnreachable(config, log);
  await prepareDatabase(config, log, signal);
  await reporting;
}

async function prepareDatabase(config: Config, log: Log, signal: AbortSignal): Promise<void> {
  const { url, migrateOnStart } = config.database;
  const onWait = (what: string) => log.warn('migration_waits', { waits_for: what });
  const { db, close } = createPostgres({ url, poolSize: 1 });
  try {
    if (migrateOnStart) await migrate(url, { signal, onWait });
    await refuseWrongSecret({ db, keyring: await createKeyring(config.secrets) });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new DependencyFailed('database', explainDatabaseFailure(error, url), error);
  } finally {
    await close();
  }
}

function warn({ environment, redisUrl, mail, renamed, meaningless, misspelt }: Config, log: Log): void {
  for (const { old, name } of renamed) log.warn('variable_has_a_new_name', { old, new: name });
  for (const name of meaningless) log.warn('variable_means_nothing_here', { name, advice: 'Remove it' });
  for (const { name, advice } of misspelt) log.warn('unknown_variable', { name, advice });
  if (environment === 'dev') return;
  if (redisUrl === undefined) {
    log.warn('limits_in_memory', {
      advice: 'Set REDIS_URL. Without it, replicas and the processes of WORKERS share neither limits nor metrics',
    });
  }
  if (mail === undefined) {
    log.warn('mail_not_configured', {
      advice: 'Set SMTP_HOST and MAIL_FROM (or RESEND_API_KEY and MAIL_FROM). Mails wait until then',
    });
  }
}
