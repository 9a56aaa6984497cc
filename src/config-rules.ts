import { eventRules } from './config-events.ts';
import { issuerRules } from './config-issuer.ts';
import { mailRules } from './config-mail.ts';
import { type Rule, rule } from './config-rule.ts';
import { secretProblem } from './config-secrets.ts';
import { brokerTransport, databaseTransport, httpTransport } from './config-transport.ts';
import { argon2Limits } from './crypto/argon2.ts';
import { longestAnswer, retryAfter, shortestGrace } from './sessions/refresh-times.ts';

/** What secrets must fulfil. */
export const secretRules: readonly Rule[] = [
  rule(['ENVIRONMENT', 'AUTH_SECRET'], (v) => {
    const problem = v.ENVIRONMENT === 'dev' ? undefined : secretProblem(v.AUTH_SECRET);
    return problem === undefined ? undefined : `AUTH_SECRET: ${problem}`;
  }),
  rule(['AUTH_SECRET', 'AUTH_SECRET_PREVIOUS'], (v) =>
    v.AUTH_SECRET_PREVIOUS.includes(v.AUTH_SECRET)
      ? 'AUTH_SECRET_PREVIOUS: contains AUTH_SECRET itself. Name older secrets only'
      : undefined,
  ),
  // Tokens that can be guessed at must not count, however short.
  rule(['ENVIRONMENT', 'AUTH_SECRET_PREVIOUS', 'AUTH_SECRET_PREVIOUS_UNTIL'], (v) =>
    v.ENVIRONMENT !== 'dev' &&
    v.AUTH_SECRET_PREVIOUS_UNTIL !== undefined &&
    v.AUTH_SECRET_PREVIOUS.some((secret) => secretProblem(secret) !== undefined)
      ? 'AUTH_SECRET_PREVIOUS_UNTIL: a previous secret is easy to guess, so its tokens must not stay valid. Remove this variable'
      : undefined,
  ),
];

/** What variables must fulfil together on both runtimes. */
export const commonRules: readonly Rule[] = [
  ...secretRules,
  rule(['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'], (v) =>
    (v.UPSTASH_REDIS_REST_URL === undefined) !== (v.UPSTASH_REDIS_REST_TOKEN === undefined)
      ? 'UPSTASH_REDIS_REST_TOKEN: set it together with UPSTASH_REDIS_REST_URL'
      : undefined,
  ),
  rule(['TLS_CERT_FILE', 'TLS_KEY_FILE'], (v) =>
    (v.TLS_CERT_FILE === undefined) !== (v.TLS_KEY_FILE === undefined)
      ? 'TLS_KEY_FILE: set it together with TLS_CERT_FILE'
      : undefined,
  ),
  ...issuerRules,
  rule(['SESSION_TTL', 'SESSION_IDLE_TTL'], (v) =>
    v.SESSION_IDLE_TTL > v.SESSION_TTL ? 'SESSION_IDLE_TTL: must not exceed SESSION_TTL' : undefined,
  ),
  // A window that closes before an obedient client can try again signs people out for lost answers.
  rule(['REFRESH_GRACE'], ({ REFRESH_GRACE }) => {
    const why = `an answer may take ${longestAnswer} s, and so may the next one after Retry-After (${retryAfter} s)`;
    return REFRESH_GRACE < shortestGrace ? `REFRESH_GRACE: must be at least ${shortestGrace}, since ${why}` : undefined;
  }),
  rule(['REFRESH_GRACE', 'SESSION_IDLE_TTL'], (v) =>
    v.REFRESH_GRACE >= shortestGrace && v.REFRESH_GRACE >= v.SESSION_IDLE_TTL
      ? 'REFRESH_GRACE: must be less than SESSION_IDLE_TTL'
      : undefined,
  ),
  rule(['SIGNING_KEY_LEAD', 'SIGNING_KEY_TERM'], (v) =>
    v.SIGNING_KEY_LEAD * 2 > v.SIGNING_KEY_TERM
      ? 'SIGNING_KEY_LEAD: must be at most half of SIGNING_KEY_TERM'
      : undefined,
  ),
  rule(['ARGON2_MEMORY', 'ARGON2_ITERATIONS'], (v) =>
    v.ARGON2_MEMORY * v.ARGON2_ITERATIONS > argon2Limits.work
      ? `ARGON2_MEMORY: times ARGON2_ITERATIONS must be at most ${argon2Limits.work}`
      : undefined,
  ),
  ...httpTransport,
  ...mailRules,
  ...eventRules,
];

/** What is different for a process on Node that serves. */
export const nodeRules: readonly Rule[] = [
  databaseTransport,
  ...brokerTransport,
  rule(['EVENTS_QUEUE'], (v) => (v.EVENTS_QUEUE ? 'EVENTS_QUEUE: only Workers have queues' : undefined)),
  rule(['EVENTS_REDIS_STREAM', 'REDIS_URL'], (v) =>
    v.EVENTS_REDIS_STREAM !== undefined && v.REDIS_URL === undefined
      ? 'EVENTS_REDIS_STREAM: needs REDIS_URL on Node'
      : undefined,
  ),
];
