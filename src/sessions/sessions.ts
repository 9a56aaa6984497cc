import { auditRow, keptOrigin, type Origin } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { eventRows } from '../events/promise.ts';
import { count } from '../ops/observation.ts';
import { deliverAfter, type Relay } from '../outbox/relay.ts';
import { issueAccessToken } from '../tokens/access-token.ts';
import { issueRefreshToken, verifyRefreshToken } from '../tokens/refresh-token.ts';
import type { Revocation } from '../tokens/revocation.ts';
import type { SigningKeys } from '../tokens/signing-keys.ts';
import { sessionRevoked } from './session-events.ts';
import { type PresentedToken, type PresentSession, refreshSession, type SessionRow } from './store.ts';

/** The application's own client: people who sign in with a password, and not through another application. */
const firstParty = { clientId: 'first-party', scope: 'account' } as const;

/** What the rules about sessions need. */
export interface SessionDeps extends Deps {
  readonly relay: Relay;
  readonly signingKeys: SigningKeys;
  readonly revocation: Revocation;
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
    issueRefreshToken(keyring, session),
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
 * Exchanges a refresh token for new tokens (RFC 6749 section 6, rotation after RFC 9700 section 4.14.2). The same
 * token shown again within the grace window gives the same successor; shown later it ends the session.
 * @param token with `firstLasts`, the first one of a session may be shown as often as one likes until its successor,
 * which is handed out each time, has been shown: for clients that keep what they got when they signed in
 * @throws {Problem} `invalid_refresh_token`
 */
export async function refresh(
  deps: SessionDeps,
  token: PresentedToken,
  call: Pick<Call, 'origin' | 'after'>,
): Promise<Tokens> {
  const { config, db, log, now, revocation } = deps;
  const { sessionId } = token;
  const time = now();
  const audit = auditRow(deps, {
    type: 'refresh_token_reuse',
    result: 'failure',
    userId: null,
    sessionId,
    origin: call.origin,
  });
  const window = {
    now: time,
    graceFrom: time - config.refreshGrace * 1000,
    idleFrom: time - config.sessionIdleTtl * 1000,
  };
  const whereReused = [
    ...(await eventRows(deps, 'RefreshTokenReused', undefined, { session_id: sessionId })),
    ...(await sessionRevoked(deps, undefined, sessionId, 'refresh_token_reuse')),
  ];
  const session = await refreshSession(db, token, window, audit, whereReused);
  if (session === undefined) throw new Problem('invalid_refresh_token', { reason: 'ended, expired or unknown' });
  if (session.reused) {
    count('edge_auth_refresh_reuse_total', {});
    log.warn('refresh_token_reuse', { session_id: sessionId });
    deliverAfter(deps, call, whereReused);
    await revocation.revokeSessions([sessionId]);
    throw new Problem('invalid_refresh_token', { reason: 'reused' });
  }
  return await presentTokens(deps, { ...session, generation: token.generation + 1 }, 'refresh_token');
}

/** The tokens of a session that goes on. */
export function presentTokens(deps: SessionDeps, row: PresentSession, grant: Grant = 'proof'): Promise<Tokens> {
  const session = {
    sessionId: row.id,
    userId: row.user_id,
    clientId: row.client_id,
    scope: row.scope,
    roles: row.roles,
    generation: row.generation,
    rotatedAt: row.rotated_at,
    authenticatedAt: row.authenticated_at,
    expiresAt: row.expires_at,
  };
  return issueTokens(deps, session, grant);
}

/**
 * Reads a refresh token's session without the database.
 * @throws {Problem} `invalid_refresh_token` for a forged or malformed one
 */
export async function readRefreshToken(
  { keyring, now }: Pick<Deps, 'keyring' | 'now'>,
  token: string,
): Promise<{ sessionId: string; generation: number }> {
  const parts = await verifyRefreshToken(keyring, token, now());
  if (parts === undefined) throw new Problem('invalid_refresh_token', { reason: 'forged or malformed' });
  return parts;
}
