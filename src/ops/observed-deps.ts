import { observedDatabase } from '../db/observed-database.ts';
import type { Deps } from '../deps.ts';
import { EventUndelivered, type Sink } from '../events/sink.ts';
import { type KeyValue, KeyValueUnavailable } from '../kv.ts';
import { type Mailer, MailRefused, MailUndelivered } from '../mailer.ts';
import type { Log, LogFields, LogLevel } from './log.ts';
import { count, currentTraceId, type Failure, measured } from './observation.ts';

/** The same dependencies, each round trip measured and traced, and each line of the log with its trace. */
export function observedDeps(deps: Deps): Deps {
  return {
    ...deps,
    db: observedDatabase(deps.db),
    kv: observedKeyValue(deps.kv),
    mailer: deps.mailer === undefined ? undefined : observedMailer(deps.mailer),
    sinks: deps.sinks.map(observedSink),
    hasher: observedHasher(deps.hasher),
    isBreached: deps.isBreached === undefined ? undefined : observedBreaches(deps.isBreached),
    log: withTrace(deps.log),
  };
}

/** The store of this very process is no dependency. */
function observedKeyValue(kv: KeyValue): KeyValue {
  if (kv.kind === 'memory') return kv;
  return {
    ...kv,
    run: (operations) =>
      measured(
        'key_value',
        () => ({
          name: 'PIPELINE',
          kind: 'client',
          attributes: {
            'db.system.name': 'redis',
            'db.operation.name': 'PIPELINE',
            'db.operation.batch.size': operations.length,
            'db.query.summary': operations.map(({ type }) => type).join(' '),
          },
        }),
        () => kv.run(operations),
        explain,
      ),
  };
}

function observedMailer(mailer: Mailer): Mailer {
  const attributes = { 'edge_auth.mailer': mailer.kind };
  return {
    ...mailer,
    send: (mail, id) =>
      measured(
        'mailer',
        () => ({ name: 'send mail', kind: 'client', attributes }),
        () => mailer.send(mail, id),
        explain,
      ),
  };
}

/** Is told five digits of a hash, which the trace does not show. */
function observedBreaches(isBreached: NonNullable<Deps['isBreached']>): NonNullable<Deps['isBreached']> {
  const step = () => ({ name: 'check for breached password', kind: 'client', attributes: {} }) as const;
  return (password) => measured('breached_passwords', step, () => isBreached(password), explain);
}

/** A sink whose deliveries are measured and traced. Its name comes from the configuration: there are few. */
function observedSink(sink: Sink): Sink {
  const counted = (result: 'taken' | 'failed') =>
    count('edge_auth_event_deliveries_total', { sink: sink.name, result });
  return {
    ...sink,
    publish: (event) =>
      measured(
        'event_sink',
        () => ({
          name: `publish ${sink.name}`,
          kind: 'producer',
          attributes: {
            'messaging.operation.name': 'publish',
            'messaging.operation.type': 'send',
            'messaging.destination.name': sink.name,
            'messaging.message.id': event.id,
          },
        }),
        () => sink.publish(event),
        explain,
      ).then(
        () => counted('taken'),
        (error: unknown) => {
          counted('failed');
          throw error;
        },
      ),
  };
}

function observedHasher(hasher: Deps['hasher']): Deps['hasher'] {
  const step = (name: string) => () => ({ name, kind: 'internal', attributes: {} }) as const;
  return {
    hash: (...given) => measured('hash', step('hash password'), () => hasher.hash(...given), explain),
    verify: (...given) => measured('verify', step('verify password'), () => hasher.verify(...given), explain),
  };
}

/** What a dependency refuses is an answer; whatever else it throws is an outage. */
function explain(error: unknown): Failure {
  if (error instanceof MailRefused) return { isOutage: false, code: error.code };
  const isCoded =
    error instanceof KeyValueUnavailable || error instanceof MailUndelivered || error instanceof EventUndelivered;
  if (isCoded) return { isOutage: true, code: error.code };
  return { isOutage: true, code: error instanceof Error ? error.name : typeof error };
}

function withTrace(log: Log): Log {
  const at =
    (level: Exclude<LogLevel, 'silent'>) =>
    (event: string, fields: LogFields = {}) => {
      const traceId = currentTraceId();
      log[level](event, traceId === undefined ? fields : { ...fields, trace_id: traceId });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
