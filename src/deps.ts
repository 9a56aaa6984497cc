import type { Config } from './config.ts';
import type { Keyring } from './crypto/derive.ts';
import type { PasswordHasher } from './crypto/password-hash.ts';
import type { Database } from './db/database.ts';
import type { Sink } from './events/sink.ts';
import type { KeyValue } from './kv.ts';
import type { LocalKeyValue } from './kv-local.ts';
import type { Mailer } from './mailer.ts';
import type { Log } from './ops/log.ts';
import type { TraceExporter } from './ops/spans.ts';

/** Everything the application needs from outside. Each entry point builds one; tests build their own. */
export interface Deps {
  readonly config: Config;
  readonly db: Database;
  readonly kv: KeyValue;
  /** Counts limits in this process where `kv` does not answer. */
  readonly fallback: LocalKeyValue;
  readonly keyring: Keyring;
  readonly hasher: PasswordHasher;
  /** Whether a password is known from a breach; rejects where nobody can tell. Undefined where nobody is asked. */
  readonly isBreached: ((password: string) => Promise<boolean>) | undefined;
  /** Undefined where no mail can be sent: it waits in the outbox. */
  readonly mailer: Mailer | undefined;
  /** Those of `config.eventSinks` that this instance delivers to. */
  readonly sinks: readonly Sink[];
  /** A file of `dist/docs` by its path there; undefined where there is none. */
  readonly assets: (path: string) => Promise<Response | undefined>;
  readonly log: Log;
  /** Undefined where nobody collects traces. */
  readonly traceExporter: TraceExporter | undefined;
  /** Milliseconds since the epoch. The only clock of the application. */
  readonly now: () => number;
  /** Milliseconds since some moment of this process. It never jumps; only differences say something. */
  readonly steady: () => number;
  /** A new UUIDv7. */
  readonly newId: () => string;
}
