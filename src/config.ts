import { findProblems } from './config-check.ts';
import { InvalidConfiguration } from './config-error.ts';
import { type EventSinkConfig, toEventSinks } from './config-events.ts';
import { findMisspelt } from './config-known.ts';
import { type Renamed, variablesSet, withOlderNames } from './config-legacy.ts';
import { limitVariable, limitVariables, lockoutVariable, lockoutVariables, unknownLimits } from './config-limits.ts';
import { type LinksConfig, toLinks } from './config-links.ts';
import { type MailConfig, toMail } from './config-mail.ts';
import type { Misspelt } from './config-names.ts';
import { type ObservabilityConfig, toObservability } from './config-observability.ts';
import type { Rule } from './config-rule.ts';
import { commonRules } from './config-rules.ts';
import { type Variables, variables } from './config-variables.ts';
import {
  type Lockout,
  type LockoutTable,
  overrideLockouts,
  overridePolicies,
  type Policy,
  type PolicyTable,
} from './limits/policies.ts';

export interface Config {
  readonly environment: Variables['ENVIRONMENT'];
  /** Newest first. */
  readonly secrets: readonly [string, ...string[]];
  /** Until when tokens of the older ones count: milliseconds; undefined for not at all. */
  readonly previousSecretsUntil: number | undefined;
  readonly issuer: string;
  readonly audience: string;
  readonly database: { readonly url: string; readonly poolSize: number; readonly migrateOnStart: boolean };
  readonly neonEndpoint: string | undefined;
  readonly redisUrl: string | undefined;
  readonly upstash: { readonly url: string; readonly token: string } | undefined;
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  /** The older APIs that are on. */
  readonly compatApis: Variables['COMPAT_APIS'];
  /** Whether the API describes itself at `/docs`, `/redoc` and `/openapi.json`. */
  readonly docs: boolean;
  readonly readyz: boolean;
  /** All durations are in seconds. */
  readonly accessTokenTtl: number;
  readonly sessionTtl: number;
  readonly sessionIdleTtl: number;
  readonly refreshGrace: number;
  readonly signingKeyTerm: number;
  readonly signingKeyLead: number;
  /** The size of new RSA keys. */
  readonly signingKeyBits: number;
  readonly passwordMinLength: number;
  readonly passwordMinClasses: number;
  /** Names of the service: a password has to be more than these. */
  readonly passwordWords: readonly string[];
  readonly reservedUsernames: readonly string[];
  /** Where to ask for breached passwords; undefined where nobody is asked. */
  readonly breachedPasswordUrl: string | undefined;
  /** Undefined where no mail can be sent: it waits. */
  readonly mail: MailConfig | undefined;
  readonly requireEmailVerification: boolean;
  readonly serviceName: string;
  /** Where links of mails lead, and where people go on from there. */
  readonly links: LinksConfig;
  /** Who takes events, each by a name of its own. */
  readonly eventSinks: readonly EventSinkConfig[];
  /** Whether events carry addresses and user names. */
  readonly eventsPersonalData: boolean;
  /** The oldest sessions of a user end beyond so many; undefined for no bound. */
  readonly maxSessions: number | undefined;
  /** How long the row of an ended session is kept. */
  readonly sessionRetention: number;
  readonly auditRetention: number;
  /** Peppers of other systems, by name: their hashes need them. */
  readonly legacyPeppers: ReadonlyMap<string, string>;
  readonly argon2: { readonly memory: number; readonly iterations: number };
  readonly limits: PolicyTable;
  readonly lockouts: LockoutTable;
  readonly host: string;
  readonly port: number;
  /** Undefined where connections come without TLS. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Processes that share the port; undefined for as many as are useful. */
  readonly workers: number | undefined;
  readonly shutdownDelay: number;
  readonly logLevel: Variables['LOG_LEVEL'];
  readonly slowRequestMs: number;
  readonly observability: ObservabilityConfig;
  /** Variables that were understood by an older name. */
  readonly renamed: readonly Renamed[];
  /** Variables of older services that are set and change nothing here. */
  readonly meaningless: readonly string[];
  /** Variables that are set and that nothing reads, since their names are not quite those of ours. */
  readonly misspelt: readonly Misspelt[];
}

export { ConfigError, InvalidConfiguration, problemsOf } from './config-error.ts';
export { findMisspelt, variableNames } from './config-known.ts';

/** Lists that are not empty by default: an empty one is an answer too. */
const saySomethingEmpty: ReadonlySet<string> = new Set(['COMPAT_APIS', 'RESERVED_USERNAMES']);

/**
 * Reads the environment.
 * @param environment variables by name; those that are not strings (bindings of a Worker) count as unset, and empty ones
 * but for `COMPAT_APIS` and `RESERVED_USERNAMES`
 * @param runtimeRules what else has to hold where it is read
 * @throws {ConfigError} naming every wrong variable at once
 */
export function readConfig(environment: Readonly<Record<string, unknown>>, runtimeRules: readonly Rule[] = []): Config {
  const given = variablesSet(environment, saySomethingEmpty);
  const misspelt = findMisspelt(given);
  const older = withOlderNames(given, misspelt);
  const { set, renamed, meaningless } = older;
  const parsed = variables.safeParse(set);
  const limits = limitVariables.safeParse(set);
  const lockouts = lockoutVariables.safeParse(set);
  const rules = [...commonRules, ...runtimeRules];
  const readOthers = (others: Readonly<Record<string, string>>) => variables.partial().parse(others);
  const wrong = [...findProblems(older, [parsed, limits, lockouts], readOthers, rules), ...unknownLimits(set)];
  if (wrong.length > 0 || parsed.data === undefined || limits.data === undefined || lockouts.data === undefined) {
    throw new InvalidConfiguration(wrong);
  }
  return { ...toConfig(parsed.data, limits.data, lockouts.data), renamed, meaningless, misspelt };
}

function toConfig(
  v: Variables,
  limits: Readonly<Record<string, Policy | undefined>>,
  lockouts: Readonly<Record<string, Lockout | undefined>>,
): Omit<Config, 'renamed' | 'meaningless' | 'misspelt'> {
  return {
    environment: v.ENVIRONMENT,
    secrets: [v.AUTH_SECRET, ...v.AUTH_SECRET_PREVIOUS],
    previousSecretsUntil: v.AUTH_SECRET_PREVIOUS_UNTIL,
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
    compatApis: v.COMPAT_APIS,
    docs: v.DOCS,
    readyz: v.READYZ,
    accessTokenTtl: v.ACCESS_TOKEN_TTL,
    sessionTtl: v.SESSION_TTL,
    sessionIdleTtl: v.SESSION_IDLE_TTL,
    refreshGrace: v.REFRESH_GRACE,
    signingKeyTerm: v.SIGNING_KEY_TERM,
    signingKeyLead: v.SIGNING_KEY_LEAD,
    signingKeyBits: v.SIGNING_KEY_BITS,
    passwordMinLength: v.PASSWORD_MIN_LENGTH,
    passwordMinClasses: v.PASSWORD_MIN_CLASSES,
    passwordWords: [v.SERVICE_NAME, v.SERVICE_NAME.replaceAll(/\s/g, ''), ...v.PASSWORD_WORDS],
    reservedUsernames: v.RESERVED_USERNAMES,
    breachedPasswordUrl: v.BREACHED_PASSWORD_CHECK ? v.BREACHED_PASSWORD_URL : undefined,
    mail: toMail(v),
    requireEmailVerification: v.REQUIRE_EMAIL_VERIFICATION ?? (v.RESEND_API_KEY ?? v.SMTP_HOST) !== undefined,
    serviceName: v.SERVICE_NAME,
    links: toLinks(v),
    eventSinks: toEventSinks(v),
    eventsPersonalData: v.EVENTS_PERSONAL_DATA,
    maxSessions: v.MAX_SESSIONS === 0 ? undefined : v.MAX_SESSIONS,
    sessionRetention: v.SESSION_RETENTION,
    auditRetention: v.AUDIT_RETENTION,
    legacyPeppers: v.LEGACY_PEPPERS,
    argon2: { memory: v.ARGON2_MEMORY, iterations: v.ARGON2_ITERATIONS },
    limits: overridePolicies((name) => limits[limitVariable(name)]),
    lockouts: overrideLockouts((name) => lockouts[lockoutVariable(name)]),
    host: v.HOST,
    port: v.PORT,
    tls:
      v.TLS_CERT_FILE === undefined || v.TLS_KEY_FILE === undefined
        ? undefined
        : { certFile: v.TLS_CERT_FILE, keyFile: v.TLS_KEY_FILE },
    workers: v.WORKERS,
    shutdownDelay: v.SHUTDOWN_DELAY,
    logLevel: v.LOG_LEVEL,
    slowRequestMs: v.SLOW_REQUEST_MS,
    observability: toObservability(v),
  };
}
