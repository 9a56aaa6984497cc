import { variablesSet, withOlderNames } from '../config-legacy.ts';
import { explainDatabaseFailure } from '../platform/postgres-reasons.ts';

/** SQLSTATEs, and what the system or TLS says about a connection. */
const isOfConnection = (code: unknown) =>
  typeof code === 'string' &&
  (/^[0-5FHPX][0-9A-Z]{4}$/.test(code) || /^E(?:CONN|NOTFOUND|AI_|HOST|NET|TIMEDOUT|PIPE)|CERT|SSL|TLS/.test(code));

/**
 * Why a command failed, in a sentence that says what to do. Never a statement, whose parameters are people's data, and
 * never who signs in to the database.
 * @param environment names the database that did not answer
 */
export function reason(error: unknown, environment: Readonly<Record<string, string | undefined>>): string {
  if (!(error instanceof Error)) return 'An unknown error';
  const url = withOlderNames(variablesSet(environment)).set['DATABASE_URL'];
  const innermost = innermostOf(error);
  const isFailedStatement = error.message.startsWith('Failed query');
  const code = 'code' in innermost ? innermost.code : undefined;
  const isDatabase = isFailedStatement || isOfConnection(code) || /SSL connections|timeout/.test(innermost.message);
  if (url !== undefined && isDatabase) return explainDatabaseFailure(error, url);
  return isFailedStatement ? 'A statement failed' : innermost.message || String(code);
}

const innermostOf = (error: Error): Error => (error.cause instanceof Error ? innermostOf(error.cause) : error);
