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
function placeOf(url: string): Place {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const decoded = (text: string) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const role = decoded(parsed?.username ?? '');
  return {
    server: parsed === undefined ? 'DATABASE_URL' : `${parsed.hostname}:${parsed.port === '' ? '5432' : parsed.port}`,
    database: decoded(parsed?.pathname.slice(1) ?? '') || role,
    role,
  };
}

type Explanation = (place: Place) => string;

const denied: Explanation = ({ server, role }) =>
  `Postgres at ${server} does not let the role "${role}" in: check user and password in DATABASE_URL`;
const unknownHost: Explanation = ({ server }) =>
  `The host of the database, ${server}, is unknown: correct DATABASE_URL. Characters such as @ # % in a password have to be percent-encoded`;
const noAnswer: Explanation = ({ server }) =>
  `Postgres at ${server} does not answer: check that it runs and that a firewall lets connections to it pass`;

const explanations: Readonly<Record<string, Explanation>> = {
  ECONNREFUSED: ({ server }) =>
    `Nothing listens at ${server}: start Postgres, or correct host and port in DATABASE_URL`,
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
  ETIMEDOUT: noAnswer,
  EHOSTUNREACH: noAnswer,
  ENETUNREACH: noAnswer,
  '28000': denied,
  '28P01': denied,
  '3D000': ({ server, database }) =>
    `There is no database "${database}" at ${server}: create it (createdb ${database}), or correct DATABASE_URL`,
  '42501': ({ database, role }) =>
    `The role "${role}" may not change the schema of the database "${database}": run \`npm run db:migrate\` with the address of the owner in DATABASE_URL`,
  '25006': ({ server, database }) =>
    `The database "${database}" at ${server} takes no writes: it is a standby, or default_transaction_read_only is on`,
  '53300': ({ server }) =>
    `Postgres at ${server} has no connection left: raise max_connections, or lower DATABASE_POOL_SIZE`,
  '57P03': ({ server }) => `Postgres at ${server} is starting up or shutting down: try again in a moment`,
};

/**
 * The sentence for what went wrong on the way to the database or in a migration. An error that has none stays as it is.
 * @param url the connection string
 */
export function explained(error: unknown, url: string): unknown {
  if (!(error instanceof Error) || error instanceof DatabaseProblem) return error;
  // A host with several addresses fails with an error for each.
  const known = error instanceof AggregateError ? error.errors[0] : error;
  const code = known instanceof Error && 'code' in known ? String(known.code) : '';
  if (Object.hasOwn(explanations, code)) {
    return new DatabaseProblem(explanations[code]?.(placeOf(url)) ?? error.message, code);
  }
  return /^(Connection terminated due to connection timeout|timeout expired)/.test(error.message)
    ? new DatabaseProblem(noAnswer(placeOf(url)), 'ETIMEDOUT')
    : error;
}
