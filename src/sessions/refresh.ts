import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { Problem } from '../errors.ts';
import { eventRows } from '../events/event-rows.ts';
import { count } from '../ops/observation.ts';
import { deliverAfter } from '../outbox/relay.ts';
import { endReusedSession, type FoundSession, type PresentedToken, stepSession } from './refresh-store.ts';
import { longestAnswer, longestStatement, retryAfter } from './refresh-times.ts';
import { judge } from './reuse.ts';
import { sessionRevoked } from './session-events.ts';
import { presentTokens, type SessionDeps, type Tokens } from './sessions.ts';

type RefreshCall = Pick<Call, 'origin' | 'after' | 'signal' | 'startedAt'>;

/**
 * Exchanges a refresh token for new tokens (RFC 6749 section 6, rotation after RFC 9700 section 4.14.2). The same
 * token shown again within the grace window gives the same successor; shown later it ends the session. What only came
 * late, because a statement or its answer was held up or lost, is never taken for reuse.
 * @param token with `firstLasts`, the first one of a session may be shown as often as one likes until its successor,
 * which is handed out each time, has been shown: for clients that keep what they got when they signed in
 * @throws {Problem} `invalid_refresh_token`, `unavailable`, `overloaded`, `client_closed_request`
 */
export async function refresh(deps: SessionDeps, token: PresentedToken, call: RefreshCall): Promise<Tokens> {
  const { config, log, signingKeys, steady } = deps;
  return await withinTime(async () => {
    // Before anything changes: else the answer could fail for want of a key after the step.
    await signingKeys.signing();
    const session = await step(deps, token, call);
    if (session === undefined) throw new Problem('invalid_refresh_token', { reason: 'ended, expired or unknown' });
    const time = { grace: config.refreshGrace * 1000, elapsed: steady() - call.startedAt };
    const verdict = judge(token.generation, session, time);
    if (verdict === 'reused') return await refuseReused(deps, token, call);
    if (verdict === 'unclear') {
      log.warn('refresh_unclear', { session_id: token.sessionId });
      const detail = 'Another request refreshed this session at the same time. Try again with the newest token.';
      throw new Problem('overloaded', { detail, headers: { 'Retry-After': String(retryAfter) } });
    }
    const next = { ...session, generation: token.generation + 1 };
    return await presentTokens(deps, next, token.authenticatedAt, 'refresh_token');
  });
}

/** @returns the session; undefined where there is none to go on with */
async function step(deps: SessionDeps, token: PresentedToken, call: RefreshCall): Promise<FoundSession | undefined> {
  const { config, databaseClock, db, now, steady } = deps;
  for (let isRepeated = false; ; isRepeated = true) {
    // Whoever has given up may be asking elsewhere by now.
    if (call.signal.aborted) throw new Problem('client_closed_request');
    const sentAt = steady();
    const deadline = databaseClock.now() + longestStatement * 1000;
    const idleFrom = now() - config.sessionIdleTtl * 1000;
    const { session, late, clock } = await stepSession(db, token, { now: now(), idleFrom, deadline });
    databaseClock.learn(clock, sentAt);
    if (session !== undefined || !late) return session;
    // Where it did not take that long, the clock was not known well enough. It is now.
    if (isRepeated || steady() - sentAt > longestStatement * 1000) throw tooLate();
  }
}

async function refuseReused(deps: SessionDeps, token: PresentedToken, call: RefreshCall): Promise<never> {
  const { db, log, now, revocation } = deps;
  if (call.signal.aborted) throw new Problem('client_closed_request');
  const { sessionId } = token;
  const entry = { type: 'refresh_token_reuse', result: 'failure', userId: null, sessionId } as const;
  const events = [
    ...(await eventRows(deps, 'RefreshTokenReused', undefined, { session_id: sessionId })),
    ...(await sessionRevoked(deps, undefined, sessionId, 'refresh_token_reuse')),
  ];
  const audit = auditRow(deps, { ...entry, origin: call.origin });
  if (await endReusedSession(db, token, now(), audit, events)) {
    count('edge_auth_refresh_reuse_total', {});
    log.warn('refresh_token_reuse', { session_id: sessionId });
    deliverAfter(deps, call, events);
  }
  await revocation.revokeSessions([sessionId]);
  throw new Problem('invalid_refresh_token', { reason: 'reused' });
}

const tooLate = () => new Problem('unavailable', { headers: { 'Retry-After': String(retryAfter) } });

/** Answers in time, whatever the work waits for: what it has sent changes nothing any more soon. */
async function withinTime<Result>(work: () => Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate()), longestAnswer * 1000);
  });
  try {
    return await Promise.race([work(), over]);
  } finally {
    clearTimeout(timer);
  }
}
