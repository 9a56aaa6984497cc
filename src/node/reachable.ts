import type { Config } from '../config.ts';
import { EventUndelivered } from '../events/sink.ts';
import { KeyValueUnavailable } from '../kv.ts';
import { MailUndelivered } from '../mailer.ts';
import type { Log } from '../ops/log.ts';

/** How long RabbitMQ and SMTP may take to answer at the start: milliseconds. */
const patience = 2000;

const placeOf = (address: string, port: string) => {
  const url = new URL(address);
  return { host: url.hostname, port: url.port || port };
};
/** What Redis answers to `AUTH`, or without it. `ERR` comes where it has no password. */
const redisRefusals = ['WRONGPASS', 'NOAUTH', 'ERR'];
/** ACCESS_REFUSED, and NOT_ALLOWED for a vhost. */
const rabbitmqRefusals = ['amqp_403', 'amqp_530'];
const isRefusal = (error: unknown, codes: readonly string[]) => codes.includes(codeOf(error).code ?? '');
const codeOf = (error: unknown): { readonly code?: string } =>
  error instanceof KeyValueUnavailable || error instanceof EventUndelivered || error instanceof MailUndelivered
    ? { code: error.code }
    : {};

async function reachRedis({ redisUrl }: Config, log: Log): Promise<void> {
  if (redisUrl === undefined) return;
  const { createRedisKeyValue } = await import('../platform/redis.ts');
  const redis = createRedisKeyValue({ url: redisUrl });
  try {
    await redis.ping();
  } catch (error) {
    log.warn('redis_not_reached', {
      ...placeOf(redisUrl, '6379'),
      ...codeOf(error),
      advice: isRefusal(error, redisRefusals)
        ? 'Redis refuses the user or password in REDIS_URL. Until they are right, limits count in each process alone'
        : 'Start Redis, or correct REDIS_URL. Until then each process counts limits by itself',
    });
  } finally {
    await redis.close();
  }
}

async function reachRabbitmq({ eventSinks }: Config, log: Log): Promise<void> {
  const sink = eventSinks.find(({ kind }) => kind === 'rabbitmq');
  if (sink?.kind !== 'rabbitmq') return;
  const { openRabbitmq } = await import('../platform/rabbitmq-connection.ts');
  try {
    const connection = await openRabbitmq(sink.url, sink.exchange, patience);
    await connection.close();
  } catch (error) {
    log.warn('rabbitmq_not_reached', {
      ...placeOf(sink.url, '5672'),
      ...codeOf(error),
      advice: isRefusal(error, rabbitmqRefusals)
        ? 'RabbitMQ refuses the user, password or vhost in RABBITMQ_URL. Until they are right, events wait in the outbox'
        : 'Start RabbitMQ, or correct RABBITMQ_URL. Until then events wait in the outbox',
    });
  }
}

async function reachSmtp({ mail }: Config, log: Log): Promise<void> {
  if (mail?.kind !== 'smtp') return;
  const { askSmtp } = await import('../platform/smtp.ts');
  const { host, port } = mail;
  try {
    await askSmtp(mail, { patience });
  } catch (error) {
    const code = codeOf(error);
    log.warn('smtp_not_reached', { host, port, ...code, advice: smtpAdvice(code.code, `${host}:${port}`) });
  }
}

function smtpAdvice(code: string | undefined, place: string): string {
  if (code === 'ETLS') {
    return `The SMTP server at ${place} refuses STARTTLS. Use SMTP_TLS=implicit, or SMTP_TLS=none for a relay on this machine`;
  }
  if (code === 'EAUTH' || code === 'ENOAUTH') return 'The SMTP server refuses SMTP_USER and SMTP_PASSWORD. Mails wait';
  return 'Start the SMTP server, or correct SMTP_HOST, SMTP_PORT and SMTP_TLS. Until it answers, mails wait';
}

/** Says at the start which server does not answer. The service goes on without: what it loses stands in the line. */
export async function reportUnreachable(config: Config, log: Log): Promise<void> {
  await Promise.all([reachRedis(config, log), reachRabbitmq(config, log), reachSmtp(config, log)]);
}
