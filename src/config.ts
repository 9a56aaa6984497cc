import type * as z from 'zod';
import { limitVariable, limitVariables, lockoutVariable, lockoutVariables, variables } from './config-variables.ts';
import { argon2Limits } from './crypto/argon2.ts';
import {
  type Lockout,
  type LockoutTable,
  overrideLockouts,
  overridePolicies,
  type Policy,
  type PolicyTable,
} from './limits/policies.ts';

type Variables = z.output<typeof variables>;

/** Who takes mails; `from` is `Name <address>` or an address. */
export type MailConfig =
  | { readonly kind: 'resend'; readonly apiKey: string; readonly baseUrl: string | undefined; readonly from: string }
  | { readonly kind: 'mailbox'; readonly url: string; readonly from: string }
  | SmtpConfig;

export interface SmtpConfig {
  readonly kind: 'smtp';
  readonly host: string;
  readonly port: number;
  readonly tls: Variables['SMTP_TLS'];
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
  readonly from: string;
}

export interface Config {
  readonly environment: Variables['ENVIRONMENT'];
  readonly secrets: readonly string[];
  readonly issuer: string;
  readonly audience: string;
  readonly database: { readonly url: string; readonly poolSize: number; readonly migrateOnStart: boolean };
  readonly neonEndpoint: string | undefined;
  readonly redisUrl: string | undefined;
  readonly upstash: { readonly url: string; readonly token: string } | undefined;
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  /** All durations are in seconds. */
  readonly accessTokenTtl: number;
  readonly sessionTtl: number;
  readonly sessionIdleTtl: number;
  readonly refreshGrace: number;
  readonly signingKeyTerm: number;
  readonly signingKeyLead: number;
  readonly passwordMinLength: number;
  readonly passwordMinClasses: number;
  /** Where to ask for breached passwords; undefined where nobody is asked. */
  readonly breachedPasswordUrl: string | undefined;
  /** Undefined where no mail can be sent: it waits. */
  readonly mail: MailConfig | undefined;
  readonly requireEmailVerification: boolean;
  readonly serviceName: string;
  /** The oldest sessions of a user end beyond so many; undefined for no bound. */
  readonly maxSessions: number | undefined;
  /** How long the row of an ended session is kept. */
  readonly sessionRetention: number;
  readonly auditRetention: number;
  readonly argon2: { readonly memory: number; readonly iterations: number };
  readonly limits: PolicyTable;
  readonly lockouts: LockoutTable;
  readonly host: string;
  readonly port: number;
  readonly logLevel: Variables['LOG_LEVEL'];
  readonly slowRequestMs: number;
}

/** The configuration is unusable. The message names every wrong variable and never shows a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the environment.
 * @param environment variables by name; those that are not strings (bindings of a Worker) and empty ones count as unset
 * @throws {ConfigError} naming every wrong variable at once
 */
export function readConfig(environment: Readonly<Record<string, unknown>>): Config {
  const set = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => typeof value === 'string' && value.trim() !== ''),
  );
  const parsed = variables.safeParse(set);
  const limits = limitVariables.safeParse(set);
  const lockouts = lockoutVariables.safeParse(set);
  const wrong = [parsed, limits, lockouts]
    .flatMap(({ error }) => error?.issues ?? [])
    .map(({ path, message }) => `${String(path[0])}: ${set[String(path[0])] === undefined ? 'Required' : message}`);
  if (parsed.data !== undefined) wrong.push(...contradictions(parsed.data));
  if (wrong.length > 0 || parsed.data === undefined || limits.data === undefined || lockouts.data === undefined) {
    throw new ConfigError(`Invalid configuration. ${[...new Set(wrong)].join('. ')}`);
  }
  return toConfig(parsed.data, limits.data, lockouts.data);
}

/** What is wrong though each variable by itself is well-formed. */
function contradictions(v: Variables): string[] {
  const wrong: string[] = [];
  if ((v.UPSTASH_REDIS_REST_URL === undefined) !== (v.UPSTASH_REDIS_REST_TOKEN === undefined)) {
    wrong.push('UPSTASH_REDIS_REST_TOKEN: set it together with UPSTASH_REDIS_REST_URL');
  }
  if (v.ENVIRONMENT !== 'dev' && v.ISSUER.startsWith('http:') && !isLoopback(v.ISSUER)) {
    wrong.push('ISSUER: must be https outside development');
  }
  if (v.SESSION_IDLE_TTL > v.SESSION_TTL) wrong.push('SESSION_IDLE_TTL: must not exceed SESSION_TTL');
  if (v.SIGNING_KEY_LEAD * 2 > v.SIGNING_KEY_TERM) {
    wrong.push('SIGNING_KEY_LEAD: must be at most half of SIGNING_KEY_TERM');
  }
  if (v.ARGON2_MEMORY * v.ARGON2_ITERATIONS > argon2Limits.work) {
    wrong.push(`ARGON2_MEMORY: times ARGON2_ITERATIONS must be at most ${argon2Limits.work}`);
  }
  return [...wrong, ...mailContradictions(v)];
}

function mailContradictions(v: Variables): string[] {
  const wrong: string[] = [];
  if (v.RESEND_API_KEY !== undefined && v.SMTP_HOST !== undefined) {
    wrong.push('SMTP_HOST: set either this or RESEND_API_KEY');
  }
  if ((v.RESEND_API_KEY ?? v.SMTP_HOST) !== undefined && v.MAIL_FROM === undefined) wrong.push('MAIL_FROM: Required');
  if ((v.SMTP_USER === undefined) !== (v.SMTP_PASSWORD === undefined)) {
    wrong.push('SMTP_PASSWORD: set it together with SMTP_USER');
  }
  if (v.SMTP_TLS === 'none' && v.SMTP_USER !== undefined && !isLoopbackHost(v.SMTP_HOST ?? '')) {
    wrong.push('SMTP_TLS: must not be none where SMTP_PASSWORD would leave the machine');
  }
  if (v.REQUIRE_EMAIL_VERIFICATION === true && toMail(v) === undefined) {
    wrong.push('REQUIRE_EMAIL_VERIFICATION: needs a way to send mail (RESEND_API_KEY or SMTP_HOST)');
  }
  return wrong;
}

function toMail(v: Variables): MailConfig | undefined {
  const from = v.MAIL_FROM ?? `${v.SERVICE_NAME} <no-reply@localhost>`;
  if (v.RESEND_API_KEY !== undefined) {
    return { kind: 'resend', apiKey: v.RESEND_API_KEY, baseUrl: v.RESEND_BASE_URL, from };
  }
  if (v.SMTP_HOST !== undefined) {
    const port = v.SMTP_PORT ?? (v.SMTP_TLS === 'implicit' ? 465 : 587);
    const [user, password] = [v.SMTP_USER, v.SMTP_PASSWORD];
    const credentials = user === undefined || password === undefined ? undefined : { user, password };
    return { kind: 'smtp', host: v.SMTP_HOST, port, tls: v.SMTP_TLS, credentials, from };
  }
  return v.MAILBOX_URL === undefined ? undefined : { kind: 'mailbox', url: v.MAILBOX_URL, from };
}

const isLoopbackHost = (host: string) => ['localhost', '127.0.0.1', '::1', '[::1]'].includes(host);
const isLoopback = (url: string) => isLoopbackHost(new URL(url).hostname);

function toConfig(
  v: Variables,
  limits: Readonly<Record<string, Policy | undefined>>,
  lockouts: Readonly<Record<string, Lockout | undefined>>,
): Config {
  return {
    environment: v.ENVIRONMENT,
    secrets: v.AUTH_SECRET,
    issuer: v.ISSUER,
    audience: v.AUDIENCE ?? v.ISSUER,
    database: { url: v.DATABASE_URL, poolSize: v.DATABASE_POOL_SIZE, migrateOnStart: v.MIGRATE_ON_START },
    neonEndpoint: v.NEON_HTTP_ENDPOINT,
    redisUrl: v.REDIS_URL,
    upstash:
      v.UPSTASH_REDIS_REST_URL === undefined || v.UPSTASH_REDIS_REST_TOKEN === undefined
        ? undefined
        : { url: v.UPSTASH_REDIS_REST_URL, token: v.UPSTASH_REDIS_REST_TOKEN },
    trustedProxies: v.TRUSTED_PROXIES,
    corsOrigins: v.CORS_ORIGINS,
    accessTokenTtl: v.ACCESS_TOKEN_TTL,
    sessionTtl: v.SESSION_TTL,
    sessionIdleTtl: v.SESSION_IDLE_TTL,
    refreshGrace: v.REFRESH_GRACE,
    signingKeyTerm: v.SIGNING_KEY_TERM,
    signingKeyLead: v.SIGNING_KEY_LEAD,
    passwordMinLength: v.PASSWORD_MIN_LENGTH,
    passwordMinClasses: v.PASSWORD_MIN_CLASSES,
    breachedPasswordUrl: v.BREACHED_PASSWORD_CHECK ? v.BREACHED_PASSWORD_URL : undefined,
    mail: toMail(v),
    requireEmailVerification: v.REQUIRE_EMAIL_VERIFICATION ?? (v.RESEND_API_KEY ?? v.SMTP_HOST) !== undefined,
    serviceName: v.SERVICE_NAME,
    maxSessions: v.MAX_SESSIONS === 0 ? undefined : v.MAX_SESSIONS,
    sessionRetention: v.SESSION_RETENTION,
    auditRetention: v.AUDIT_RETENTION,
    argon2: { memory: v.ARGON2_MEMORY, iterations: v.ARGON2_ITERATIONS },
    limits: overridePolicies((name) => limits[limitVariable(name)]),
    lockouts: overrideLockouts((name) => lockouts[lockoutVariable(name)]),
    host: v.HOST,
    port: v.PORT,
    logLevel: v.LOG_LEVEL,
    slowRequestMs: v.SLOW_REQUEST_MS,
  };
}
