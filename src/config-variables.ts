import * as z from 'zod';
import { compatNames } from './compat/names.ts';
import { linkVariables } from './config-links.ts';
import { readPeppers } from './config-peppers.ts';
import {
  address,
  flag,
  httpUrl,
  isBearerToken,
  list,
  mailFrom,
  oneOf,
  onOff,
  parts,
  pythonLevels,
  readOtelHeaders,
  seconds,
  whole,
  withoutSlash,
  words,
} from './config-readers.ts';
import { moment, previousSecrets, rootSecret } from './config-secrets.ts';
import { plaintextNames } from './config-transport.ts';
import { webhookList } from './config-webhooks.ts';
import { isDecodable, isIssuer, isOrigin, originFault } from './http/web-address.ts';
import { isNetwork } from './limits/client-address.ts';

const ratio = 'Must be a number from 0 to 1';
const reservedUsernames =
  'admin,administrator,root,superuser,system,support,help,security,moderator,staff,postmaster,hostmaster,webmaster,abuse,noreply,no-reply';

/** Every variable the service understands. Their names stand here and in `config.ts` alone. */
export const variables = z.object({
  ENVIRONMENT: oneOf('dev', 'staging', 'production').default('production'),
  /** The root secret, from which all keys derive. */
  AUTH_SECRET: rootSecret,
  /** Older root secrets, newest first, separated by commas or blanks. They open what they sealed. */
  AUTH_SECRET_PREVIOUS: previousSecrets,
  /** Until when refresh tokens, device tokens and codes of the older secrets count. Where it is not set: not at all. */
  AUTH_SECRET_PREVIOUS_UNTIL: moment.optional(),
  /** Variables whose connection may go to another host without TLS. */
  ALLOW_PLAINTEXT: z
    .string()
    .default('')
    .transform(parts)
    .pipe(z.array(z.enum(plaintextNames, `Expected names among ${plaintextNames.join(', ')}`))),
  /** The `iss` of every token and the base of every link. No slash at its end. */
  ISSUER: httpUrl.refine(isIssuer, 'Must be a plain address without user, query and fragment').transform(withoutSlash),
  /** The `aud` of access tokens. The issuer where it is not set. */
  AUDIENCE: z.string().min(1).optional(),
  DATABASE_URL: address(/^postgres(ql)?:\/\//, 'Expected postgres://user:password@host/database'),
  DATABASE_POOL_SIZE: whole(1, 500).default(10),
  MIGRATE_ON_START: flag.default(true),
  /** Where the Neon driver posts its statements. Only for a Neon endpoint of one's own, as in development. */
  NEON_HTTP_ENDPOINT: httpUrl.optional(),
  REDIS_URL: address(/^rediss?:\/\//, 'Expected redis://host:6379').optional(),
  UPSTASH_REDIS_REST_URL: httpUrl.optional(),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1).optional(),
  /** Not everybody: then each client could make up its address, and no limit by address would hold. */
  TRUSTED_PROXIES: list(isNetwork, 'Expected addresses or CIDRs, and not all addresses (/0)'),
  CORS_ORIGINS: list(
    isOrigin,
    'Expected origins such as https://app.example.com, without a path; no * and no null',
    originFault,
  ),
  /** The older APIs that are on. Empty, or `none`: no one. */
  COMPAT_APIS: z
    .string()
    .default(compatNames.join(','))
    .transform((text) => [...new Set(parts(text).filter((name) => name !== 'none'))])
    .pipe(z.array(z.enum(compatNames, `Expected names among ${compatNames.join(', ')}, or none`))),
  /** `/docs`, `/redoc` and `/openapi.json`. */
  DOCS: onOff.default(true),
  /** `/readyz`, which asks the database and the key-value store. */
  READYZ: onOff.default(true),
  ACCESS_TOKEN_TTL: seconds(900, 60),
  SESSION_TTL: seconds(30 * 86_400, 60),
  SESSION_IDLE_TTL: seconds(7 * 86_400, 60),
  REFRESH_GRACE: seconds(30),
  /** The oldest of a user's sessions end beyond so many; 0 for no bound. */
  MAX_SESSIONS: whole(0, 10_000).default(100),
  SESSION_RETENTION: seconds(30 * 86_400, 86_400),
  AUDIT_RETENTION: seconds(180 * 86_400, 86_400),
  SIGNING_KEY_TERM: seconds(30 * 86_400, 3600),
  SIGNING_KEY_LEAD: seconds(86_400, 600),
  /** The size of new RSA keys. */
  SIGNING_KEY_BITS: z.enum(['2048', '3072', '4096'], 'Expected 2048, 3072 or 4096').default('2048').transform(Number),
  PASSWORD_MIN_LENGTH: whole(8, 256).default(8),
  /** How many of: lower case, upper case, digits, others. */
  PASSWORD_MIN_CLASSES: whole(0, 4).default(0),
  /** Beside SERVICE_NAME: what people would put into a password here. */
  PASSWORD_WORDS: z.string().default('').transform(words),
  /** Nobody registers with one of them, nor with a name that looks like it. Empty: no one. */
  RESERVED_USERNAMES: z.string().default(reservedUsernames).transform(words),
  BREACHED_PASSWORD_CHECK: flag.default(false),
  BREACHED_PASSWORD_URL: httpUrl.transform(withoutSlash).default('https://api.pwnedpasswords.com'),
  /** A verified address before the first sign-in. Where it is not set: true where mail goes out of the house. */
  REQUIRE_EMAIL_VERIFICATION: flag.optional(),
  MAIL_FROM: mailFrom.optional(),
  RESEND_API_KEY: z.string().min(1).optional(),
  RESEND_BASE_URL: httpUrl.transform(withoutSlash).optional(),
  SMTP_HOST: z
    .string()
    .regex(/^[\w.:-]+$/, 'Expected a host name')
    .optional(),
  SMTP_PORT: whole(1, 65_535).optional(),
  SMTP_USER: z.string().min(1).optional(),
  SMTP_PASSWORD: z.string().min(1).optional(),
  /** `starttls` insists on it; `none` is for a relay on the same machine. */
  SMTP_TLS: oneOf('starttls', 'implicit', 'none').default('starttls'),
  /** Of the development mailbox, which shows mails instead of sending them. */
  MAILBOX_URL: httpUrl.transform(withoutSlash).optional(),
  /** What people read as the name of the service. */
  SERVICE_NAME: z
    .string()
    .max(100)
    .regex(/^[^\p{Cc}<>"]+$/u, 'Must not contain control characters, quotes, < or >')
    .default('Edge Auth'),
  ...linkVariables,
  /** Where events go beside the outbox: as many of the following as are set. */
  RABBITMQ_URL: address(/^amqps?:\/\//, 'Expected amqp://user:password@host:5672/vhost')
    .refine(isDecodable, 'In user, password and vhost, write % as %25')
    .optional(),
  RABBITMQ_EXCHANGE: z
    .string()
    .regex(/^(?!amq\.)[\w.:-]{1,127}$/, 'Expected up to 127 letters, digits or _ . : -, not starting with amq.')
    .default('auth.events'),
  /** Whether an event that no queue takes is tried again. */
  RABBITMQ_MANDATORY: flag.default(false),
  /** On Workers, where the binding `EVENTS` is a queue to send to. */
  EVENTS_QUEUE: flag.default(false),
  EVENTS_REDIS_STREAM: z
    .string()
    .regex(/^[\w.:{}-]{1,200}$/, 'Expected up to 200 letters, digits or _ . : { } -')
    .optional(),
  /** Older entries are trimmed beyond so many, more or less. */
  EVENTS_REDIS_STREAM_MAXLEN: whole(1, 100_000_000).default(100_000),
  WEBHOOKS: webhookList.default([]),
  /** Lets webhooks go over http, and to private addresses. */
  WEBHOOK_ALLOW_PRIVATE: flag.default(false),
  /** Whether events carry addresses and user names. */
  EVENTS_PERSONAL_DATA: flag.default(true),
  /** Whoever reads the metrics shows one of them. Several while one is replaced. */
  METRICS_TOKEN: list(isBearerToken, 'Each needs 16 to 512 characters of A-Z a-z 0-9 - . _ ~ + / ='),
  /** Seconds between two additions to the sums of all processes. A Worker may go on for 30 s after an answer. */
  METRICS_INTERVAL: whole(1, 20).default(10),
  /** Tells clients in `Server-Timing` how long the database, the key-value store and hashing took. */
  SERVER_TIMING: flag.default(false),
  /** The names of OpenTelemetry. Spans go to `<endpoint>/v1/traces`. */
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.transform(withoutSlash).optional(),
  OTEL_EXPORTER_OTLP_HEADERS: z.string().default('').transform(readOtelHeaders),
  OTEL_SERVICE_NAME: z.string().min(1).max(100).default('edge-auth'),
  /** The share of new traces that is recorded; for others the caller has decided. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number(ratio).min(0, ratio).max(1, ratio).default(1),
  /** Peppers of other systems, `name:pepper`: what Devise calls `pepper`. */
  LEGACY_PEPPERS: z.string().default('').transform(readPeppers),
  ARGON2_MEMORY: whole(19_456, 65_536).default(19_456),
  ARGON2_ITERATIONS: whole(1, 10).default(2),
  HOST: z.string().min(1).default('0.0.0.0'),
  PORT: whole(0, 65_535).default(3000),
  /** PEM: the certificate with those between it and its authority, and its key. */
  TLS_CERT_FILE: z.string().optional(),
  TLS_KEY_FILE: z.string().optional(),
  /** Processes that share the port. Where it is not set: one for each core, if they share a store. */
  WORKERS: whole(1, 256).optional(),
  /** Seconds between SIGTERM and the end of listening, in which `/readyz` says so. */
  SHUTDOWN_DELAY: whole(0, 300).default(0),
  LOG_LEVEL: z
    .string()
    .toLowerCase()
    .transform((level) => pythonLevels.get(level) ?? level)
    .pipe(oneOf('debug', 'info', 'warn', 'error', 'silent'))
    .default('info'),
  SLOW_REQUEST_MS: whole(1).default(5000),
});

export type Variables = z.output<typeof variables>;
