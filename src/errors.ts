/** The one table of errors: code, HTTP status, and what people read. Adding an error is adding a row. */
export const problems = {
  bad_request: { status: 400, title: 'The request is malformed' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  expectation_failed: { status: 417, title: 'The only expectation supported is 100-continue' },
  headers_too_large: { status: 431, title: 'The request line or the headers are too large' },
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  body_too_large: { status: 413, title: 'The body is too large' },
  validation_failed: { status: 422, title: 'Some fields are not valid' },
  invalid_credentials: { status: 401, title: 'The identifier or the password is wrong' },
  invalid_token: { status: 401, title: 'The access token is missing, expired, revoked or not valid' },
  wrong_password: { status: 422, title: 'The password is wrong' },
  reauthentication_required: { status: 401, title: 'The password has to be proved again' },
  invalid_refresh_token: { status: 401, title: 'The refresh token is expired, revoked or not valid' },
  link_expired: { status: 410, title: 'The link or the code is used up, has run out, or is not valid' },
  email_not_verified: { status: 403, title: 'The email address has to be verified first' },
  forbidden: { status: 403, title: 'The caller has no role that permits this' },
  not_found: { status: 404, title: 'There is nothing at this address' },
  method_not_allowed: { status: 405, title: 'This address does not take this method' },
  precondition_failed: { status: 412, title: 'It was changed in the meantime; read it again' },
  identifier_taken: { status: 409, title: 'The email or the username is already taken' },
  last_admin: { status: 409, title: 'Nobody else is an active admin with a password' },
  email_missing: { status: 409, title: 'The user has no email address' },
  rate_limited: { status: 429, title: 'Too many requests' },
  account_locked: { status: 429, title: 'Too many failed attempts; wait, or reset the password' },
  client_closed_request: { status: 400, title: 'The client has gone' },
  internal_error: { status: 500, title: 'Something went wrong here' },
  overloaded: { status: 503, title: 'Too much to do at once; try again' },
  unavailable: { status: 503, title: 'The service cannot reach its database; try again' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

export interface FieldError {
  /** Where in the body or the query: `email`, `profile.name`, `limit`. Empty for the body as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface ProblemDetails {
  /** Sent: a sentence for the person who called, where there is more to say than the title. Never a secret, never what another person owns. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Logged, never sent: why exactly. */
  readonly reason?: string;
}

/** An answer other than success: thrown by rules, written as RFC 9457 by `http/on-error`. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly details: ProblemDetails;

  constructor(code: ProblemCode, details: ProblemDetails = {}) {
    super(problems[code].title);
    this.code = code;
    this.details = details;
  }
}
