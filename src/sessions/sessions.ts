import { keptOrigin, type Origin } from '../audit/audit.ts';
import type { DatabaseClock } from '../db/clock.ts';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { count } from '../ops/observation.ts';
import type { Relay } from '../outbox/relay.ts';
import { issueAccessToken } from '../tokens/access-token.ts';
import { issueRefreshToken, type RefreshTokenParts, verifyRefreshToken } from '../tokens/refresh-token.ts';
import type { Revocation } from '../tokens/revocation.ts';
import type { SigningKeys } from '../tokens/signing-keys.ts';
import type { PresentSession, SessionRow } from './store.ts';

/** The application's own client: people who sign in with a password, and not through another application. */
const firstParty = { clientId: 'first-party', scope: 'account' } as const;

/** What the rules about sessions need. */
export interface SessionDeps extends Deps {
  readonly relay: Relay;
  readonly signingKeys: SigningKeys;
  readonly revocation: Revocation;
  readonly databaseClock: DatabaseClock;
}

/** A token response (RFC 6749 section 5.1). Times are seconds from now. */
export interface Tokens {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly refresh_token_expires_in: number;
  readonly scope: string;
}

interface OpenSession {
  readonly userId: string;
  readonly sessionId: string;
  readonly clientId: string;
  readonly scope: string;
  readonly roles: readonly string[];
  readonly generation: number;
  /** These three in milliseconds since the epoch. */
  readonly rotatedAt: number;
  readonly authenticatedAt: number;
  readonly expiresAt: number;
  /** What the refresh token says of it, which else the row does. */
  readonly line?: number | undefined;
}

/** A new session's row, of a user who has just proved who they are. */
export function newSession(
  { config, newId, now }: Deps,
  user: { readonly id: string; readonly sessionEpoch: number },
  origin: Origin,
): SessionRow {
  const time = new Date(now());
  return {
    id: newId(),
    userId: user.id,
    ...firstParty,
    epoch: user.sessionEpoch,
    generation: 0,
    rotatedAt: time,
    authenticatedAt: time,
    createdAt: time,
    expiresAt: new Date(now() + config.sessionTtl * 1000),
    ...keptOrigin(origin),
  };
}

type Grant = 'proof' | 'refresh_token';
/** The tokens of a session as its row stands: the refresh token is that of its present generation. */
async function issueTokens(deps: SessionDeps, session: OpenSession, grant: Grant): Promise<Tokens> {
  const { config, keyring, now } = deps;
  count('edge_auth_tokens_issued_total', { grant });
  const [accessToken, refreshToken] = await Promise.all([
    issueAccessToken(deps, session),
    issueRefreshToken(keyring, { ...session, authenticatedAt: session.line }),
  ]);
  const left = Math.floor((session.expiresAt - now()) / 1000);
  const idleLeft = Math.floor((session.rotatedAt - now()) / 1000) + config.sessionIdleTtl;
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: Math.min(left, config.accessTokenTtl),
    refresh_token: refreshToken,
    refresh_token_expires_in: Math.max(0, Math.min(left, idleLeft)),
    scope: session.scope,
  };
}

/** The tokens of a session that has just been written. */
export function firstTokens(deps: SessionDeps, row: SessionRow, roles: readonly string[]): Promise<Tokens> {
  const { id: sessionId, userId, clientId, scope } = row;
  const [rotatedAt, authenticatedAt] = [row.rotatedAt.getTime(), row.authenticatedAt.getTime()];
  const times = { rotatedAt, authenticatedAt, expiresAt: row.expiresAt.getTime() };
  return issueTokens(deps, { sessionId, userId, clientId, scope, roles, generation: 0, ...times }, 'proof');
}

/**
 * The tokens of a session that goes on.
 * @param line when the user proved who they are, where the refresh token says so: it is that of what was shown, so that
 * nobody else's token gains by a proof
 */
export function presentTokens(
  deps: SessionDeps,
  row: PresentSession,
  line: number | undefined,
  grant: Grant,
): Promise<Tokens> {
  const session = {
    sessionId: row.id,
    userId: row.user_id,
    clientId: row.client_id,
    scope: row.scope,
    roles: row.roles,
    generation: row.generation,
    rotatedAt: row.rotated_at,
    authenticatedAt: line ?? row.authenticated_at,
    expiresAt: row.expires_at,
    line,
  };
  return issueTokens(deps, session, grant);
}

/**
 * The tokens of a session whose user has just proved who they are. The refresh token is a generation ahead of the row
 * and carries the time of the proof; the first use of it spends every other token of the session. Until then the token
 * that was good stays good, and knows nothing of the proof: this answer may be lost, and that one may be stolen.
 */
export function provenTokens(deps: SessionDeps, row: PresentSession): Promise<Tokens> {
  const line = Math.floor(deps.now() / 1000) * 1000;
  return presentTokens(deps, { ...row, generation: row.generation + 1 }, line, 'proof');
}

/**
 * Reads a refresh token's session without the database.
 * @throws {Problem} `invalid_refresh_token` for a forged or malformed one
 */
export async function readRefreshToken(
  { keyring, now }: Pick<Deps, 'keyring' | 'now'>,
  token: string,
): Promise<RefreshTokenParts> {
  const parts = await verifyRefreshToken(keyring, token, now());
  if (parts === undefined) throw new Problem('invalid_refresh_token', { reason: 'forged or malformed' });
  return parts;
}
