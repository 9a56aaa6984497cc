import { isPlaintext } from './config-connections.ts';
import { type Rule, rule } from './config-rule.ts';
import type { Variables } from './config-variables.ts';

/** The variables that name servers which secrets or people's data are sent to. */
export const plaintextNames = [
  'DATABASE_URL',
  'REDIS_URL',
  'RABBITMQ_URL',
  'UPSTASH_REDIS_REST_URL',
  'NEON_HTTP_ENDPOINT',
  'RESEND_BASE_URL',
  'BREACHED_PASSWORD_URL',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
] as const;
type Name = (typeof plaintextNames)[number];

const remedies: Readonly<Record<Name, string>> = {
  DATABASE_URL: 'Add ?sslmode=require to it',
  REDIS_URL: 'Use rediss://',
  RABBITMQ_URL: 'Use amqps://',
  UPSTASH_REDIS_REST_URL: 'Use https://',
  NEON_HTTP_ENDPOINT: 'Use https://',
  RESEND_BASE_URL: 'Use https://',
  BREACHED_PASSWORD_URL: 'Use https://',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'Use https://',
};

/** Outside development nothing goes to another host without TLS, unless `ALLOW_PLAINTEXT` names the variable. */
const encrypted = (
  name: Name,
  isSecret: (values: Pick<Variables, 'OTEL_EXPORTER_OTLP_HEADERS'>) => boolean = () => true,
): Rule =>
  rule([name, 'ENVIRONMENT', 'ALLOW_PLAINTEXT', 'OTEL_EXPORTER_OTLP_HEADERS'], (v) => {
    const isAllowed = v.ENVIRONMENT === 'dev' || v.ALLOW_PLAINTEXT.includes(name) || !isSecret(v);
    const text = v[name];
    if (isAllowed || text === undefined || !isPlaintext(text)) return undefined;
    return `${name}: sends to another host without TLS. ${remedies[name]}, or set ALLOW_PLAINTEXT=${name} where the network between is your own`;
  });

/** Of a process that speaks with Postgres over TCP. */
export const databaseTransport = encrypted('DATABASE_URL');
/** Of a process that speaks with Postgres over HTTP. */
export const neonTransport = encrypted('NEON_HTTP_ENDPOINT');
/** Of a process that speaks with Redis and RabbitMQ too. */
export const brokerTransport: readonly Rule[] = [encrypted('REDIS_URL'), encrypted('RABBITMQ_URL')];
/** On both runtimes. Traces tell nothing of people, but their headers may hold a key. */
export const httpTransport: readonly Rule[] = [
  neonTransport,
  ...(['UPSTASH_REDIS_REST_URL', 'RESEND_BASE_URL', 'BREACHED_PASSWORD_URL'] as const).map((name) => encrypted(name)),
  encrypted('OTEL_EXPORTER_OTLP_ENDPOINT', (v) => Object.keys(v.OTEL_EXPORTER_OTLP_HEADERS).length > 0),
];
