import { hostOf, parseAddress } from '../config-connections.ts';
import { isCertificateCode } from './certificate-code.ts';

/** Why the database cannot be used, as a sentence for operators: what is wrong, where, and what to do. No secrets. */
export class DatabaseProblem extends Error {
  override readonly name = 'DatabaseProblem';
  /** The SQLSTATE or the code of a system error behind it. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

interface Place {
  /** `host:port`. */
  readonly server: string;
  readonly database: string;
  readonly role: string;
}

/** Where a connection string leads, without the password; what it does not say Postgres takes from elsewhere. */
function placeOf(text: string): Place {
  const url = parseAddress(text);
  const decoded = (part: string) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  const role = decoded(url?.username ?? '');
  const host = url === null ? '' : hostOf(url);
  return {
    server: url === null ? 'DATABASE_URL' : host.startsWith('/') ? host : `${host}:${url.port || 5432}`,
    database: decoded(url?.pathname.slice(1) ?? '') || role,
    role,
  };
}

type Explanation = (place: Place) => string;

const denied: Explanation = ({ server, role }) =>
  `Postgres at ${server} refuses the role "${role}". Check user and password in DATABASE_URL`;
const unknownHost: Explanation = ({ server }) =>
  `The host of the database, ${server}, is unknown. Correct DATABASE_URL, and percent-encode characters such as @ # % in its password`;
const noAnswer: Explanation = ({ server }) =>
  `Postgres at ${server} does not answer. Check that it runs and that no firewall blocks it`;

const behind: Explanation = ({ server, database }) =>
  `The schema of the database "${database}" at ${server} is not up to date. Run \`npm run db:migrate\``;
const withoutTls: Explanation = ({ server }) =>
  `Postgres at ${server} does not support TLS. Turn TLS on there, or write sslmode=disable in DATABASE_URL if the network in between is your own`;
const untrusted =
  (code: string): Explanation =>
  ({ server }) =>
    `The certificate of Postgres at ${server} is not trusted (${code}). Use the host name in the certificate, and add sslrootcert=/path/to/ca.pem to DATABASE_URL if the authority is your own`;

const explanations: Readonly<Record<string, Explanation>> = {
  ECONNREFUSED: ({ server }) =>
    `Nothing listens at ${server}. Start Postgres, or correct host and port in DATABASE_URL`,
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
  ETIMEDOUT: noAnswer,
  EHOSTUNREACH: noAnswer,
  ENETUNREACH: noAnswer,
  '28000': denied,
  '28P01': denied,
  '3D000': ({ server, database }) =>
    `The database "${database}" does not exist at ${server}. Create it (createdb ${database}), or correct DATABASE_URL`,
  '42501': ({ database, role }) =>
    `The role "${role}" may not change the schema of the database "${database}". Run \`npm run db:migrate\` with the address of the owner in DATABASE_URL`,
  '25006': ({ server, database }) =>
    `The database "${database}" at ${server} refuses writes. It is a standby, or default_transaction_read_only is on`,
  '53300': ({ server }) =>
    `Postgres at ${server} has no connection left. Raise max_connections, or lower DATABASE_POOL_SIZE`,
  ENOENT: ({ server }) => `${server} contains no socket. Start Postgres, or correct the directory in DATABASE_URL`,
  '42P07': ({ server, database }) =>
    `The database "${database}" at ${server} already has a table of another application that this service needs. Give this service a database of its own`,
  '42P01': behind,
  '42703': behind,
  '57P03': ({ server }) => `Postgres at ${server} is starting up or shutting down. Try again in a moment`,
};

function explanationOf(code: string, message: string): Explanation | undefined {
  if (Object.hasOwn(explanations, code)) return explanations[code];
  if (/does not support SSL/.test(message)) return withoutTls;
  if (isCertificateCode(code)) return untrusted(code);
  return /^(Connection terminated due to connection timeout|timeout expired)/.test(message) ? noAnswer : undefined;
}

const codeOf = (error: Error) => ('code' in error && typeof error.code === 'string' ? error.code : '');

/**
 * The sentence for what went wrong on the way to the database or in a migration. An error that has none stays as it is.
 * @param url the connection string
 */
export function explained(error: unknown, url: string): unknown {
  if (!(error instanceof Error) || error instanceof DatabaseProblem) return error;
  // A host with several addresses fails with an error for each.
  const known = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const explanation = explanationOf(codeOf(known), error.message);
  if (explanation === undefined) return error;
  return new DatabaseProblem(
    explanation(placeOf(url)),
    codeOf(known) || (explanation === noAnswer ? 'ETIMEDOUT' : undefined),
  );
}

/**
 * Says in a sentence why a database does not serve, where, and what to do, for whatever the driver threw or wrapped.
 * Never a password or a statement.
 */
export function explainDatabaseFailure(error: unknown, url: string): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  const known = explained(inner, url);
  if (known instanceof DatabaseProblem) return known.message;
  const code = inner instanceof Error ? codeOf(inner) : '';
  return `Postgres at ${placeOf(url).server} failed${code === '' ? '' : ` (${code})`}. Read its log`;
}
