import { findMisspelt, InvalidConfiguration, problemsOf, readConfig } from '../config.ts';
import { variablesSet, withOlderNames } from '../config-legacy.ts';
import { nodeRules } from '../config-rules.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that nobody sets who tries the service out, as regular expressions of their names. */
const ofProduction =
  /^(?:AUTH_SECRET|AUTH_SECRET_PREVIOUS|RESEND_API_KEY|SMTP_HOST|MAIL_SERVER|MAIL_FROM|REDIS_URL|REDIS_HOST|UPSTASH_REDIS_REST_URL|RABBITMQ_URL|WEBHOOKS|EVENTS_QUEUE|TRUSTED_PROXIES|CORS_ORIGINS|TLS_CERT_FILE|SSL_CERTFILE|METRICS_TOKEN|WORKERS|SECRET_KEY|JWT_SECRET_KEY)$/;

const isSet = (value: string | undefined) => (value ?? '').trim() !== '';

/** What says that real people sign in here, by name. */
function traces(environment: Environment): string[] {
  const named = Object.keys(environment).filter((name) => ofProduction.test(name) && isSet(environment[name]));
  const issuer = URL.parse(environment['ISSUER'] ?? '')?.hostname;
  const isPublic = issuer !== undefined && !['localhost', '127.0.0.1', '[::1]'].includes(issuer);
  const isNodeProduction = environment['NODE_ENV'] === 'production';
  const meant = findMisspelt(variablesSet(environment)).filter(
    (each) => each.meant === 'DATABASE_URL' || ofProduction.test(each.meant ?? ''),
  );
  return [
    ...(isPublic ? ['ISSUER'] : []),
    ...(isNodeProduction ? ['NODE_ENV'] : []),
    ...named,
    ...meant.map(({ name }) => name),
  ];
}

/** Whether any part of an address of a database is there, in older names too: then it is meant, and must be whole. */
const namesDatabase = (environment: Environment) =>
  isSet(environment['DATABASE_URL']) ||
  Object.keys(environment).some((name) => /^DB_[A-Z]+$/.test(name) && isSet(environment[name]));

/**
 * Whether an embedded Postgres keeps the accounts: in development, where nothing says where else they are. A laptop's
 * database is no place for real accounts, so what looks like production is refused instead.
 * @throws {ConfigError} naming what is missing, and why this looks like production
 */
export function needsEmbedded(environment: Environment): boolean {
  const stage = environment['ENVIRONMENT']?.trim() ?? '';
  if (namesDatabase(environment)) return false;
  if (stage === 'dev') return true;
  if (stage !== '') return false;
  const found = traces(environment);
  if (found.length === 0) return true;
  const others = problemsOf(() => readConfig(environment, nodeRules)).filter(
    (each) => !each.startsWith('DATABASE_URL'),
  );
  const { required } = withOlderNames({}, findMisspelt(variablesSet(environment)));
  throw new InvalidConfiguration([
    `DATABASE_URL: ${required('DATABASE_URL')}. ${found.join(', ')} ${found.length === 1 ? 'is' : 'are'} set, which looks like production, and the ` +
      'embedded database is for development only. Set it, or ENVIRONMENT=dev to try the service out',
    ...others,
  ]);
}
