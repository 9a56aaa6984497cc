import * as z from 'zod';
import { argon2Limits } from './crypto/argon2.ts';
import { isIssuer, isOrigin } from './http/web-address.ts';
import { isNetwork } from './limits/client-address.ts';
import {
  overridePolicies,
  type Policy,
  type PolicyName,
  type PolicyTable,
  policyNames,
  policyText,
} from './limits/policies.ts';

/** Every variable the service understands. The only file that knows their names. */
const seconds = (fallback: number, minimum = 1) => z.coerce.number().int().min(minimum).default(fallback);
const isSecret = (text: string) => text.length >= 32 && new Set(text).size > 5;
const parts = (text: string) => text.split(/[\s,]+/).filter((part) => part !== '');
const list = (isEntry: (entry: string) => boolean, message: string) =>
  z
    .string()
    .default('')
    .transform(parts)
    .refine((entries) => entries.every(isEntry), message);
const flag = z
  .enum(['true', 'false', '1', '0'])
  .default('false')
  .transform((text) => text === 'true' || text === '1');
const httpUrl = z.url({ protocol: /^https?$/, abort: true });
/** No slash at its end. */
const withoutSlash = (text: string) => text.replace(/\/+$/, '');

const variables = z.object({
  ENVIRONMENT: z.enum(['dev', 'staging', 'production']).default('production'),
  /** One or more root secrets, newest first, separated by commas or blanks. */
  AUTH_SECRET: z
    .string()
    .transform(parts)
    .pipe(
      z
        .array(z.string().refine(isSecret, 'Each needs at least 32 random characters (openssl rand -base64 32)'))
        .min(1, 'Required')
        .max(5)
        .refine((secrets) => new Set(secrets).size === secrets.length, 'The same secret stands twice'),
    ),
  /** The `iss` of every token and the base of every link. No slash at its end. */
  ISSUER: httpUrl.refine(isIssuer, 'Must be a plain address without user, query and fragment').transform(withoutSlash),
  /** The `aud` of access tokens. The issuer where it is not set. */
  AUDIENCE: z.string().min(1).optional(),
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'Expected postgres://user:password@host/database'),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(1).max(500).default(10),
  MIGRATE_ON_START: flag.default(true),
  /** Where the Neon driver posts its statements. Only for a Neon endpoint of one's own, as in development. */
  NEON_HTTP_ENDPOINT: httpUrl.optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'Expected redis://host:6379')
    .optional(),
  UPSTASH_REDIS_REST_URL: httpUrl.optional(),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1).optional(),
  /** Not everybody: then each client could make up its address, and no limit by address would hold. */
  TRUSTED_PROXIES: list(isNetwork, 'Expected addresses or CIDRs, and not all addresses (/0)'),
  CORS_ORIGINS: list(isOrigin, 'Expected origins such as https://app.example, without a path; no * and no null'),
  ACCESS_TOKEN_TTL: seconds(900, 60),
  SESSION_TTL: seconds(30 * 86_400, 60),
  SESSION_IDLE_TTL: seconds(7 * 86_400, 60),
  REFRESH_GRACE: seconds(10, 0),
  SIGNING_KEY_TERM: seconds(30 * 86_400, 3600),
  SIGNING_KEY_LEAD: seconds(86_400, 600),
  PASSWORD_MIN_LENGTH: z.coerce.number().int().min(8).max(256).default(8),
  /** How many of: lower case, upper case, digits, others. */
  PASSWORD_MIN_CLASSES: z.coerce.number().int().min(0).max(4).default(0),
  BREACHED_PASSWORD_CHECK: flag,
  BREACHED_PASSWORD_URL: httpUrl.transform(withoutSlash).default('https://api.pwnedpasswords.com'),
  ARGON2_MEMORY: z.coerce.number().int().min(19_456).max(65_536).default(19_456),
  ARGON2_ITERATIONS: z.coerce.number().int().min(1).max(10).default(2),
  HOST: z.string().min(1).default('0.0.0.0'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  SLOW_REQUEST_MS: z.coerce.number().int().min(1).default(5000),
});

const limitVariable = (name: PolicyName) => `LIMIT_${name.toUpperCase()}`;
const limitVariables = z.object(
  Object.fromEntries(policyNames.map((name) => [limitVariable(name), policyText.optional()])),
);

type Variables = z.output<typeof variables>;
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
  readonly argon2: { readonly memory: number; readonly iterations: number };
  readonly limits: PolicyTable;
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
  const wrong = [...(parsed.error?.issues ?? []), ...(limits.error?.issues ?? [])].map(
    ({ path, message }) => `${String(path[0])}: ${set[String(path[0])] === undefined ? 'Required' : message}`,
  );
  if (parsed.data !== undefined) wrong.push(...contradictions(parsed.data));
  if (wrong.length > 0 || parsed.data === undefined || limits.data === undefined) {
    throw new ConfigError(`Invalid configuration. ${[...new Set(wrong)].join('. ')}`);
  }
  return toConfig(parsed.data, limits.data);
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
  return wrong;
}

const isLoopback = (url: string) => ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname);

function toConfig(v: Variables, limits: Readonly<Record<string, Policy | undefined>>): Config {
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
    argon2: { memory: v.ARGON2_MEMORY, iterations: v.ARGON2_ITERATIONS },
    limits: overridePolicies((name) => limits[limitVariable(name)]),
    host: v.HOST,
    port: v.PORT,
    logLevel: v.LOG_LEVEL,
    slowRequestMs: v.SLOW_REQUEST_MS,
  };
}
