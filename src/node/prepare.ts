import type { Config } from '../config.ts';
import type { Log } from '../ops/log.ts';
import { checkNodeSinks } from '../platform/node-sinks.ts';
import { migrate } from '../platform/postgres-migrations.ts';
import { readTls } from './tls.ts';

/** The service cannot start without this; `cause` says why it does not answer. */
export class DependencyFailed extends Error {
  override readonly name = 'DependencyFailed';
  readonly dependency: string;

  constructor(dependency: string, cause: unknown) {
    super(`${dependency} failed`, { cause });
    this.dependency = dependency;
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
  checkNodeSinks(config);
  if (config.tls !== undefined) await readTls(config.tls);
  warn(config, log);
  const { url, migrateOnStart } = config.database;
  if (!migrateOnStart) return;
  const onWait = (what: string) => log.warn('migration_waits', { waits_for: what });
  await migrate(url, { signal, onWait }).catch((error) => {
    throw new DependencyFailed('database', error);
  });
}

function warn({ environment, redisUrl, mail, renamed }: Config, log: Log): void {
  for (const { old, name } of renamed) log.warn('variable_has_a_new_name', { old, new: name });
  if (environment === 'dev') return;
  if (redisUrl === undefined) {
    log.warn('limits_in_memory', {
      advice: 'Set REDIS_URL: replicas, and the processes of WORKERS, share neither limits nor metrics',
    });
  }
  if (mail === undefined) log.warn('mail_not_configured', { advice: 'Set SMTP_HOST: mails wait until then' });
}
