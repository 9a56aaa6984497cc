import { hostOf, parseAddress } from '../config-connections.ts';
import { isCertificateCode } from './certificate-code.ts';

/** Where a connection string leads: host, port and name of the database, and never who signs in. */
function placeOf(databaseUrl: string): { server: string; host: string; database: string } {
  const url = parseAddress(databaseUrl) ?? new URL('postgres://localhost');
  const host = hostOf(url) || 'localhost';
  const server = host.startsWith('/') ? host : `${host}:${url.port || 5432}`;
  return { server, host, database: decodeURIComponent(url.pathname.slice(1)) || '(no name)' };
}

const isLost = /timeout|timed out|terminated/i;

/** What to do about a failure, by its SQLSTATE or the code of the system. */
function advice(code: string, message: string, { server, host, database }: ReturnType<typeof placeOf>): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `Nothing listens at ${server}. Start Postgres, or correct host and port in DATABASE_URL`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host ${host} is not known. Correct its name in DATABASE_URL; a password in it must be percent-encoded`;
    case 'ENOENT':
      return `There is no socket at ${server}. Start Postgres, or correct the directory in DATABASE_URL`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `${server} cannot be reached. Check the network and the firewall between, and host and port in DATABASE_URL`;
    case '28P01':
    case '28000':
      return `Postgres at ${server} does not accept the user or the password of DATABASE_URL. Correct them, or let the user in (pg_hba.conf)`;
    case '3D000':
      return `Postgres at ${server} has no database "${database}". Create it, or correct the name in DATABASE_URL`;
    case '42501':
      return `The user of DATABASE_URL may not change the schema of "${database}" at ${server}. Run "npm run db:migrate" as the owner, and set MIGRATE_ON_START=false here`;
    case '42P07':
    case '42710':
      return `The database "${database}" at ${server} holds a table of another application that has the same name as one of ours. Give this service a database of its own`;
    case '42P01':
    case '42703':
      return `The schema of "${database}" at ${server} is not up to date. Run "npm run db:migrate"`;
    case '53300':
      return `Postgres at ${server} takes no more connections. Lower DATABASE_POOL_SIZE, or raise max_connections`;
    case '57P03':
      return `Postgres at ${server} is starting or stopping. Start the service again in a moment`;
    case '25006':
      return `Postgres at ${server} is a replica that cannot be written to. Set DATABASE_URL to the primary`;
  }
  if (/does not support SSL/.test(message)) {
    return `Postgres at ${server} speaks no TLS. Turn it on there, or write sslmode=disable in DATABASE_URL where the network between is your own`;
  }
  if (isCertificateCode(code)) {
    return `The certificate of Postgres at ${server} is not trusted (${code}). Add sslrootcert=/path/to/ca.pem to DATABASE_URL for an authority of your own, and use the name of the host that the certificate has`;
  }
  if (isLost.test(message)) return advice('ETIMEDOUT', '', { server, host, database });
  return `Postgres at ${server} failed${code === '' ? '' : ` (${code})`}. Its log may say more`;
}

/**
 * Says in a sentence why a database does not serve, where, and what to do. Never a user, a password or a statement.
 * @param error what the driver threw, or wrapped
 */
export function explainDatabaseFailure(error: unknown, databaseUrl: string): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  const code = inner instanceof Error && 'code' in inner && typeof inner.code === 'string' ? inner.code : '';
  const message = inner instanceof Error ? inner.message : '';
  // What we throw ourselves is a sentence already.
  if (inner instanceof Error && inner.name === 'TableHeld') return `The database cannot be migrated now: ${message}`;
  return `${advice(code, message, placeOf(databaseUrl))}.`;
}
