import type { Misspelt } from './config-names.ts';
import { howToMake } from './config-secrets.ts';

type Environment = Readonly<Record<string, string>>;

/** A variable of ours that was understood by the name it has in an older service. */
export interface Renamed {
  readonly old: string;
  readonly name: string;
}

/** An older name is set, with a value that cannot be ours. */
interface Unusable {
  readonly old: string;
  readonly name: string;
  /** What is wrong with it, never the value. */
  readonly why: string;
}

interface Row {
  /** The old variables: the first has to be set, the others go along. */
  readonly old: readonly [string, ...string[]];
  readonly name: string;
  /** What the first one is where only others are set. */
  readonly fallback?: string;
  /** @returns undefined where the old value says nothing about ours */
  readonly convert: (value: string, environment: Environment) => string | Why | undefined;
}

type Why = Pick<Unusable, 'why'>;

const same = (value: string) => value;
const seconds = (unit: number) => (value: string) => String(Number(value) * unit);
const [minute, day] = [60, 86_400];
/** A session may not lie idle for longer than it lasts. */
const longestSession = 30 * day;
const beyond = (unit: number) => (value: string) =>
  Number(value) * unit > longestSession ? seconds(unit)(value) : undefined;
/** With HS256 every service that verified tokens knew it, and whoever knows the root can sign in as anybody. */
const sharedSecret = (): Why => ({
  why: `is not used, because every service that verified tokens knows it. ${howToMake}`,
});
const address = (value: string) => (/^[^<>@\s]+@[^<>@\s]+$/.test(value) ? value : { why: 'is not an address' });
const isOn = (value: string) => /^(true|1)$/i.test(value);
/** Kubernetes sets `REDIS_PORT=tcp://10.0.0.1:6379` for a service of that name: nobody has asked for anything. */
const isOfKubernetes = (value: string | undefined) => value?.startsWith('tcp://') === true;
const digits = (value: string | undefined) => (/^\d+$/.test(value ?? '') ? value : undefined);

const databaseUrl = (host: string, { DB_PORT, DB_USER = 'auth_user', DB_PASSWORD, DB_TABLE = 'auth' }: Environment) => {
  const password = DB_PASSWORD === undefined ? '' : `:${encodeURIComponent(DB_PASSWORD)}`;
  const user = `${encodeURIComponent(DB_USER)}${password}`;
  return `postgres://${user}@${host}:${digits(DB_PORT) ?? 5432}/${encodeURIComponent(DB_TABLE)}`;
};

/** Variables of older services that mean the same as one of ours. Of several for one of ours the first counts. */
const table: readonly Row[] = [
  { old: ['SECRET_KEY'], name: 'AUTH_SECRET', convert: sharedSecret },
  { old: ['JWT_SECRET_KEY'], name: 'AUTH_SECRET', convert: sharedSecret },
  {
    old: ['DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASSWORD', 'DB_TABLE'],
    name: 'DATABASE_URL',
    fallback: 'localhost',
    convert: databaseUrl,
  },
  {
    old: ['REDIS_HOST', 'REDIS_PORT', 'REDIS_DB'],
    name: 'REDIS_URL',
    convert: (host, { REDIS_PORT, REDIS_DB }) =>
      `redis://${host}:${digits(REDIS_PORT) ?? 6379}/${digits(REDIS_DB) ?? 0}`,
  },
  { old: ['ACCESS_TOKEN_EXPIRE_MINUTES'], name: 'ACCESS_TOKEN_TTL', convert: seconds(minute) },
  { old: ['JWT_ACCESS_TOKEN_EXPIRE_MINUTES'], name: 'ACCESS_TOKEN_TTL', convert: seconds(minute) },
  // A refresh token that nobody uses for so long is no longer good.
  { old: ['REFRESH_TOKEN_EXPIRE_MINUTES'], name: 'SESSION_IDLE_TTL', convert: seconds(minute) },
  { old: ['REFRESH_TOKEN_EXPIRE_MINUTES'], name: 'SESSION_TTL', convert: beyond(minute) },
  { old: ['JWT_REFRESH_TOKEN_EXPIRE_DAYS'], name: 'SESSION_IDLE_TTL', convert: seconds(day) },
  { old: ['JWT_REFRESH_TOKEN_EXPIRE_DAYS'], name: 'SESSION_TTL', convert: beyond(day) },
  { old: ['MAIL_SERVER'], name: 'SMTP_HOST', convert: same },
  { old: ['MAIL_PORT'], name: 'SMTP_PORT', convert: same },
  { old: ['SMTP_USERNAME'], name: 'SMTP_USER', convert: same },
  { old: ['MAIL_USERNAME'], name: 'SMTP_USER', convert: same },
  { old: ['MAIL_PASSWORD'], name: 'SMTP_PASSWORD', convert: same },
  { old: ['SMTP_USERNAME'], name: 'MAIL_FROM', convert: address },
  { old: ['MAIL_USERNAME'], name: 'MAIL_FROM', convert: address },
  { old: ['APP_NAME'], name: 'SERVICE_NAME', convert: same },
  { old: ['SSL_CERTFILE'], name: 'TLS_CERT_FILE', convert: same },
  { old: ['SSL_KEYFILE'], name: 'TLS_KEY_FILE', convert: same },
  { old: ['DEBUG'], name: 'LOG_LEVEL', convert: (value) => (isOn(value) ? 'debug' : undefined) },
  { old: ['DEBUG'], name: 'SERVER_TIMING', convert: (value) => (isOn(value) ? 'true' : undefined) },
];

/** What older services were told, and what has no meaning here: keys are made and rotated by the service itself. */
const meaninglessNames = [
  ...['ALGORITHM', 'JWT_ALGORITHM', 'JWT_PRIVATE_KEY', 'JWT_PUBLIC_KEY', 'SECRET_KEY', 'JWT_SECRET_KEY'],
  ...['ACCESS_TOKEN_SECRET_KEY', 'REFRESH_TOKEN_SECRET_KEY', 'APP_VERSION'],
];

export const olderNames: readonly string[] = table.flatMap(({ old }) => old);

/**
 * The variables that are set: strings that say something.
 * @param evenEmpty names of which an empty value is an answer too
 */
export function variablesSet(
  environment: Readonly<Record<string, unknown>>,
  evenEmpty: ReadonlySet<string> = new Set(),
): Environment {
  const isSet = (entry: [string, unknown]): entry is [string, string] =>
    typeof entry[1] === 'string' && (entry[1].trim() !== '' || evenEmpty.has(entry[0]));
  return Object.fromEntries(Object.entries(environment).filter(isSet));
}

interface WithOlderNames {
  readonly set: Environment;
  readonly renamed: readonly Renamed[];
  /** Variables of older services that are set and mean nothing here. */
  readonly meaningless: readonly string[];
  /** What is wrong with a variable of ours that is not set, and why an older one could not stand for it. */
  readonly required: (name: string) => string;
}

/** What a variable is that has to be set. */
const hints: Readonly<Record<string, string>> = {
  AUTH_SECRET: howToMake,
  ISSUER: 'Your public address, such as https://auth.your-domain',
  DATABASE_URL: 'Such as postgres://user:password@host/database',
  MAIL_FROM: 'The sender of mails, such as My Service <auth@your-domain>',
};

/**
 * Adds those of our variables that are set by an older name alone.
 * @param set variables that are set, by name
 * @param misspelt variables that look like ours: one of them may be meant where ours is missing
 */
export function withOlderNames(set: Environment, misspelt: readonly Misspelt[] = []): WithOlderNames {
  const renamed: Renamed[] = [];
  const unusable: Unusable[] = [];
  const all: Record<string, string> = { ...set };
  for (const { old, name, fallback, convert } of table) {
    const given = old.filter((each) => set[each] !== undefined);
    const value = set[old[0]] ?? (given.some((each) => !isOfKubernetes(set[each])) ? fallback : undefined);
    if (value === undefined || all[name] !== undefined) continue;
    const converted = convert(value, set);
    if (typeof converted === 'string') {
      all[name] = converted;
      renamed.push({ old: given.join(', '), name });
    } else if (converted !== undefined) unusable.push({ old: given.join(', '), name, ...converted });
  }
  const required = (name: string) => {
    const reasons = [
      ...misspelt.filter(({ meant }) => meant === name).map((each) => `${each.name} is set: is it misspelt?`),
      ...unusable.filter((each) => each.name === name).map(({ old, why }) => `${old} is set, but ${why}`),
    ];
    if (reasons.length > 0) return `Required (${reasons.join('; ')})`;
    const hint = hints[name];
    return hint === undefined ? 'Required' : `Required. ${hint}`;
  };
  const meaningless = meaninglessNames.filter((name) => set[name] !== undefined);
  return { set: all, renamed, meaningless, required };
}
