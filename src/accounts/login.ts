import { type AuditEntry, auditRow, recordAudit } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { isOwnHash } from '../crypto/stored-hash.ts';
import { sqlState } from '../db/database.ts';
import { Problem } from '../errors.ts';
import type { AttemptResult } from '../kv-attempts.ts';
import { countFailedLogin } from '../limits/alarm.ts';
import { isOwnDevice, issueDeviceToken } from '../limits/device.ts';
import { failAttempt, failOperations, forgiveAttempt, isLocking } from '../limits/lockout.ts';
import { count } from '../ops/observation.ts';
import { deliverAfter } from '../outbox/relay.ts';
import { insertOutbox } from '../outbox/store.ts';
import { insertSession, type Upgrade } from '../sessions/new-session-store.ts';
import { sessionStarted } from '../sessions/session-events.ts';
import { limitSessions } from '../sessions/session-limit.ts';
import { firstTokens, newSession, type SessionDeps, type Tokens } from '../sessions/sessions.ts';
import { normaliseEmail } from './email.ts';
import { lockoutNoticeTask } from './lockout-notice.ts';
import type { LoginAttempt } from './login-attempt.ts';
import { newerIndex } from './newer-index.ts';
import { isOfWaiting, readCandidates } from './pending-login.ts';
import { toUser } from './profile.ts';
import type { User } from './schemas.ts';
import { newSignInMail } from './sign-in-notice.ts';
import type { UserRow } from './store.ts';
import { admitStranger, StrangeDevice } from './strange-device.ts';
import { takenBy } from './taken.ts';

const notNullViolation = '23502';

export interface SignedIn {
  readonly user: User;
  readonly tokens: Tokens;
  readonly deviceToken: string;
}

/**
 * Signs in with a password. An unknown identifier costs the same statements and the same hash as a wrong password.
 * @param tried how the attempt was counted
 * @throws {Problem} `invalid_credentials`, for either
 */
export async function login(
  deps: SessionDeps,
  request: LoginAttempt & { readonly password: string },
  tried: AttemptResult,
  call: Call,
): Promise<SignedIn> {
  return await settleAttempt(deps, request, tried, call, (asked, counted) => signIn(deps, asked, counted, call));
}

/**
 * Does what the password is needed for, and settles how the attempt counts: not at all, unless the password was wrong.
 * Who turns out to show a device token of another time counts, and begins anew, as a stranger.
 */
export async function settleAttempt<Request extends LoginAttempt, Result>(
  deps: SessionDeps,
  request: Request,
  tried: AttemptResult,
  call: Call,
  work: (request: Request, tried: AttemptResult) => Promise<Result>,
): Promise<Result> {
  const { attempt } = request;
  try {
    const result = await work(request, tried);
    count('edge_auth_logins_total', { result: 'success' });
    call.after(() => forgiveAttempt(deps, attempt, true, true));
    return result;
  } catch (error) {
    if (error instanceof StrangeDevice) {
      call.after(() => forgiveAttempt(deps, attempt, false, true));
      const stranger = { ...request, device: undefined, attempt: request.asStranger.attempt };
      return await settleAttempt(deps, stranger, await admitStranger(deps, request, call), call, work);
    }
    const isWrong = error instanceof Problem && error.code === 'invalid_credentials';
    countFailure(deps.config, attempt, tried, error);
    if (isWrong) call.after(() => countFailedLogin(deps, failOperations(attempt)));
    // Whoever hangs up may know how it would have ended: it counts, and the owner is told of a lock.
    else if (call.signal.aborted) {
      call.after(() => failAttempt(deps, attempt));
      await enqueueNotice(deps, request, tried, call);
    } else call.after(() => forgiveAttempt(deps, attempt, false, true));
    throw error;
  }
}

/** How a sign-in that did not go well counts, and which locks it made. */
function countFailure(
  config: SessionDeps['config'],
  attempt: LoginAttempt['attempt'],
  tried: AttemptResult,
  error: unknown,
): void {
  const code = error instanceof Problem ? error.code : undefined;
  const result = code === 'invalid_credentials' || code === 'email_not_verified' ? code : 'not_settled';
  count('edge_auth_logins_total', { result });
  if (code !== 'invalid_credentials') return;
  attempt.counters.forEach(({ lockout }, index) => {
    const failures = tried.failures[index] ?? 0;
    if (failures >= (tried.limits?.[index] ?? config.lockouts[lockout].failures))
      count('edge_auth_lockouts_total', { lockout });
  });
}

/**
 * The account that a name and a password prove, and whether its hash is to be replaced. One that is unknown costs the
 * same statements and the same hash as a wrong password.
 * @param type what it is proved for: the audit log tells of failures
 * @throws {Problem} `invalid_credentials`, for either, and for an account that is disabled
 */
export async function proveCredentials(
  deps: SessionDeps,
  request: LoginAttempt & { readonly password: string },
  tried: AttemptResult,
  type: AuditEntry['type'],
  call: Call,
): Promise<{ account: UserRow; needsUpgrade: boolean }> {
  const { db, hasher } = deps;
  const { origin, signal } = call;
  const { account, waiting } = await readCandidates(deps, request);
  if (request.device !== undefined && !(await isOwnDevice(deps, request.device, account))) throw new StrangeDevice();
  const { valid, needsUpgrade } = await hasher.verify(request.password, account?.passwordHash ?? null, signal);
  if (account !== undefined && valid && account.status === 'active') return { account, needsUpgrade };
  const userId = account?.id ?? null;
  const audit = auditRow(deps, { type, result: 'failure', userId, sessionId: null, origin });
  if (await isOfWaiting(deps, request, waiting, signal)) {
    await recordAudit(db, audit);
    throw new Problem('email_not_verified', { reason: 'registration not confirmed' });
  }
  await Promise.all([recordAudit(db, audit), enqueueNotice(deps, request, tried, call)]);
  const reason = account === undefined ? 'unknown account' : valid ? account.status : 'wrong password';
  throw new Problem('invalid_credentials', { reason });
}

async function signIn(
  deps: SessionDeps,
  request: LoginAttempt & { readonly password: string },
  tried: AttemptResult,
  call: Call,
): Promise<SignedIn> {
  const { db, hasher } = deps;
  const { origin, signal } = call;
  const { lookup } = request.identifier;
  const { account, needsUpgrade } = await proveCredentials(deps, request, tried, 'login', call);
  const userId = account.id;
  if (deps.config.requireEmailVerification && account.emailIndex !== null && account.emailVerifiedAt === null) {
    // Only who knows the password learns this.
    const entry = { type: 'login', result: 'failure', userId, sessionId: null, origin } as const;
    await recordAudit(db, auditRow(deps, entry));
    throw new Problem('email_not_verified');
  }
  // Before anything changes. A sign-in that fails needs no key.
  await deps.signingKeys.signing();
  const session = newSession(deps, account, origin);
  const user = await toUser(deps, account);
  const audit = auditRow(deps, { type: 'login', result: 'success', userId, sessionId: session.id, origin });
  const from = account.passwordHash;
  const to = needsUpgrade ? await hasher.hash(request.password, signal, 'front') : undefined;
  const passwordHash = from === null || to === undefined ? {} : { passwordHash: { from, to } };
  const isFirst = from !== null && !isOwnHash(from);
  const notice = request.device === undefined && !isFirst ? await newSignInMail(deps, account, user, call) : undefined;
  const events = await sessionStarted(deps, session);
  // Where another account has the newer index, the row keeps the one it has.
  const start = (upgrade: Upgrade) =>
    insertSession(db, session, audit, upgrade, events, { notice, bound: deps.config.maxSessions });
  const started = await start({ ...passwordHash, ...newerIndex(lookup, account) })
    .catch((error: unknown) => (takenBy(error) === undefined ? Promise.reject(error) : start(passwordHash)))
    .catch(refuseChanged);
  deliverAfter(deps, call, [...(started.noticed && notice !== undefined ? [notice] : []), ...events]);
  const owner = { id: userId, passwordHash: started.passwordHash };
  const emailKey = user.email === null ? undefined : normaliseEmail(user.email)?.key;
  const [tokens, deviceToken] = await Promise.all([
    firstTokens(deps, session, account.roles),
    issueDeviceToken(deps, { emailKey, usernameKey: account.usernameKey ?? undefined }, owner, request.device?.id),
    started.crowded ? limitSessions(deps, session, call) : undefined,
  ]);
  return { user, tokens, deviceToken };
}

/** The account was disabled, or its sessions ended, between the two statements. */
function refuseChanged(error: unknown): never {
  if (sqlState(error)?.code !== notNullViolation) throw error;
  throw new Problem('invalid_credentials', { reason: 'changed meanwhile' });
}

/** Where this failure locks an account: its owner is told, if it has one, which is looked up after the answer. */
async function enqueueNotice(
  deps: SessionDeps,
  { attempt, identifier }: LoginAttempt,
  tried: AttemptResult,
  call: Call,
): Promise<void> {
  if (!isLocking(deps.config, attempt, tried, 'lockout_account')) return;
  const row = await lockoutNoticeTask(deps, identifier.lookup, call.origin);
  await insertOutbox(deps.db, [row]);
  call.after(() => deps.relay.deliver([row]));
}
