interface ProblemText {
  readonly status: number;
  /** What went wrong, the same each time. */
  readonly title: string;
  /** What to do about it, for the person who called, where the case itself says nothing more exact. */
  readonly detail: string;
}

const askAgain = 'Try again in a moment. If the error persists, tell the operator the request_id.';

/** The one table of errors: code, HTTP status, and what people read. Adding an error is adding a row. */
export const problems = {
  bad_request: {
    status: 400,
    title: 'The request is malformed',
    detail: 'Check the request line, the Host header and the other headers.',
  },
  request_timeout: { status: 408, title: 'The request took too long to arrive', detail: 'Send it again.' },
  expectation_failed: {
    status: 417,
    title: 'Unsupported expectation',
    detail: 'Send no Expect header, or Expect: 100-continue.',
  },
  headers_too_large: {
    status: 431,
    title: 'The request line or the headers are too large',
    detail: 'Send at most 16 KiB of headers.',
  },
  invalid_json: { status: 400, title: 'The body is not valid JSON', detail: 'Send one JSON object, encoded in UTF-8.' },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported content type',
    detail: 'Send the body as JSON, with Content-Type: application/json.',
  },
  body_too_large: { status: 413, title: 'The body is too large', detail: 'Send at most 64 KiB.' },
  validation_failed: {
    status: 422,
    title: 'Some fields are not valid',
    detail: 'Correct the fields listed in errors, then try again.',
  },
  invalid_credentials: {
    status: 401,
    title: 'Wrong username, email address or password',
    detail: 'Check what you entered, or set a new password.',
  },
  invalid_token: {
    status: 401,
    title: 'The access token is missing or not valid',
    detail: 'Send a valid token as Authorization: Bearer. Get a new one with your refresh token, or sign in again.',
  },
  wrong_password: { status: 422, title: 'Wrong password', detail: 'Enter the current password of this account.' },
  reauthentication_required: {
    status: 401,
    title: 'Confirm your password to continue',
    detail: 'POST the password to /auth/reauthenticate, then repeat the request with the new token.',
  },
  invalid_refresh_token: {
    status: 401,
    title: 'The refresh token is expired, revoked or not valid',
    detail: 'Sign in again.',
  },
  link_expired: {
    status: 410,
    title: 'The link or code is used, expired or not valid',
    detail: 'Ask for a new email.',
  },
  email_not_verified: {
    status: 403,
    title: 'Confirm your email address first',
    detail: 'Open the link in the email we sent you, or ask for a new one.',
  },
  forbidden: {
    status: 403,
    title: 'You do not have permission to do this',
    detail: 'Ask an administrator for a role with the permission, then sign in again.',
  },
  not_found: { status: 404, title: 'Not found', detail: 'Check the path and the id. /docs lists all paths.' },
  method_not_allowed: {
    status: 405,
    title: 'This path does not support this method',
    detail: 'Use one of the methods listed in the Allow header.',
  },
  precondition_failed: {
    status: 412,
    title: 'Someone else changed it in the meantime',
    detail: 'Read it again, then repeat your change.',
  },
  identifier_taken: {
    status: 409,
    title: 'The email address or username is already taken',
    detail: 'Choose another one, or sign in if the account is yours.',
  },
  last_admin: {
    status: 409,
    title: 'This is the last active administrator with a password',
    detail: 'Make someone else an administrator first.',
  },
  email_missing: {
    status: 409,
    title: 'The user has no email address',
    detail: 'The user has to add an email address first.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail: 'Wait as many seconds as the Retry-After header says, then try again.',
  },
  account_locked: {
    status: 429,
    title: 'Too many failed attempts',
    detail: 'Wait as many seconds as the Retry-After header says, or set a new password.',
  },
  client_closed_request: {
    status: 400,
    title: 'The client closed the connection',
    detail: 'Keep the connection open until the answer has arrived.',
  },
  internal_error: { status: 500, title: 'Something went wrong', detail: askAgain },
  overloaded: {
    status: 503,
    title: 'The service is busy',
    detail: 'Wait as many seconds as the Retry-After header says, then try again.',
  },
  unavailable: {
    status: 503,
    title: 'The service is temporarily unavailable',
    detail: 'Wait as many seconds as the Retry-After header says, then try again.',
  },
} as const satisfies Record<string, ProblemText>;

export type ProblemCode = keyof typeof problems;

export interface FieldError {
  /** Where in the body or the query: `email`, `profile.name`, `limit`. Empty for the body as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface ProblemDetails {
  /** Sent instead of the usual one: a sentence that says what to do. Never a secret, never what another person owns. */
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
