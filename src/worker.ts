import argon2Module from '#argon2.wasm';
import { databaseVariables, openDatabase } from '#worker-database';
import { type App, createApp } from './app.ts';
import { type Config, ConfigError, InvalidConfiguration, readConfig } from './config.ts';
import { createKeyring } from './crypto/derive.ts';
import { createPasswordHasher } from './crypto/password-hash.ts';
import { uuidv7 } from './crypto/random.ts';
import { toResponse } from './http/refusal.ts';
import { authorityOf, hasDotSegments, isHost } from './http/target.ts';
import { dropUnreadBody } from './http/unread-body.ts';
import type { KeyValue } from './kv.ts';
import type { Mailer } from './mailer.ts';
import { createLog, type Log } from './ops/log.ts';
import { createArgon2Wasm } from './platform/argon2-wasm.ts';
import { createBoundAssets } from './platform/assets-binding.ts';
import { createBreachedPasswords } from './platform/breached-passwords.ts';
import { createWorkersHashing } from './platform/hashing-workers.ts';
import { type OnStateChange, withDeadline } from './platform/kv-deadline.ts';
import { createMailbox } from './platform/mailbox.ts';
import { createMemoryKeyValue } from './platform/memory.ts';
import { createOtlpExporter } from './platform/otlp.ts';
import { createResend } from './platform/resend.ts';
import { createUpstashKeyValue } from './platform/upstash.ts';
import { createWorkerSinks } from './platform/worker-sinks.ts';
import { createSecretGuard } from './tokens/secret-guard.ts';

interface Application {
  readonly app: App;
  /** @throws {WrongSecret} */
  readonly refuseWrongSecret: () => Promise<void>;
}

type WorkerBindings = Readonly<Record<string, unknown>>;

const now = () => Date.now();
/** Keys the memory store may hold: some 5 MiB, since an isolate has 128. */
const capacity = 20_000;
let application: Application | undefined;
/** One for the isolate, however many applications are made: the memory of WebAssembly never shrinks. */
const hashing = createWorkersHashing(createArgon2Wasm(argon2Module), now);

/** One application for the isolate. Requests that come while it is made make their own: they must not share I/O. */
async function getApplication(bindings: WorkerBindings): Promise<Application> {
  if (application !== undefined) return application;
  const made = await createApplication(readConfig({ ...bindings, ...databaseVariables(bindings) }), bindings);
  application ??= made;
  return application;
}

async function createApplication(config: Config, bindings: WorkerBindings): Promise<Application> {
  const log = createLog(config.logLevel, now);
  for (const { name, advice } of config.misspelt) log.warn('unknown_variable', { name, advice });
  const { otlp } = config.observability;
  const keyring = await createKeyring(config.secrets, config.previousSecretsUntil);
  const db = openDatabase(config);
  const app = createApp({
    config,
    log,
    keyring,
    now,
    steady: () => performance.now(),
    newId: () => uuidv7(now()),
    db,
    kv: createKeyValue(config, log),
    fallback: createMemoryKeyValue({ now, capacity }),
    mailer: createMailer(config, log),
    sinks: createWorkerSinks(config, bindings),
    assets: createBoundAssets(bindings['ASSETS']),
    traceExporter: otlp && createOtlpExporter(otlp),
    isBreached: createBreachedPasswords(config.breachedPasswordUrl),
    hasher: createPasswordHasher({
      hashing,
      legacyPeppers: config.legacyPeppers,
      peppers: keyring.all.map(({ id, pepper }) => ({ id, key: pepper })),
      keyring,
      parameters: { ...config.argon2, parallelism: 1 },
    }),
  });
  return { app, refuseWrongSecret: createSecretGuard({ db, keyring, now }) };
}

/** Says that the process is there, whatever is wrong with what it depends on. */
const isLiveness = (request: Request) => new URL(request.url).pathname === '/healthz';

function createKeyValue({ environment, upstash }: Config, log: Log): KeyValue {
  if (upstash !== undefined) {
    const onStateChange: OnStateChange = (state, code) => log.warn('key_value_store', { state, code });
    return withDeadline(createUpstashKeyValue(upstash), { now, onStateChange });
  }
  if (environment !== 'dev')
    log.warn('limits_in_memory', {
      advice: 'Set UPSTASH_REDIS_REST_URL. Without it each isolate counts limits by itself',
    });
  return createMemoryKeyValue({ now, capacity });
}

/** @throws {ConfigError} where SMTP is configured: that needs connections of its own, which Workers do not have */
function createMailer({ environment, mail }: Config, log: Log): Mailer | undefined {
  switch (mail?.kind) {
    case 'resend':
      return createResend(mail);
    case 'mailbox':
      return createMailbox(mail.url);
    case 'smtp':
      throw new ConfigError('Invalid configuration. SMTP_HOST: Workers cannot use SMTP. Set RESEND_API_KEY instead');
    default:
      if (environment !== 'dev')
        log.warn('mail_not_configured', { advice: 'Set RESEND_API_KEY and MAIL_FROM. Mails wait until then' });
      return undefined;
  }
}

/** @returns undefined where no URL can be made of what was sent: workerd hands on any `Host` and any target */
function readRequest(request: Request): Request | undefined {
  // `OPTIONS *` (RFC 9110 section 9.3.7) arrives as `http://host*`.
  const isOfServer = request.method === 'OPTIONS' && /^https?:\/\/[^/]*\*$/.test(request.url);
  const url = isOfServer ? `${request.url.slice(0, -1)}/` : request.url;
  // Its URL is the Host and the path, one behind the other. A service that is bound to this one sends no Host.
  const hosts = [request.headers.get('Host') ?? 'x', authorityOf(url) ?? ''];
  if (!hosts.every(isHost) || !URL.canParse(url) || hasDotSegments(url)) return undefined;
  return isOfServer ? new Request(url, request) : request;
}

export default {
  async fetch(request, bindings, context) {
    try {
      const { app, refuseWrongSecret } = await getApplication(bindings);
      const readable = readRequest(request);
      if (readable === undefined) return toResponse(app.refuse('bad_request', 'the target or the Host is no URL'));
      if (!isLiveness(readable)) await refuseWrongSecret();
      const clientAddress = request.headers.get('CF-Connecting-IP') ?? undefined;
      const response = await app.fetch(readable, { clientAddress }, context);
      await dropUnreadBody(readable);
      context.waitUntil(app.flushSoon());
      return response;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const detail = error instanceof InvalidConfiguration ? error.problems.join('. ') : error.message;
      createLog('error', now).error('invalid_configuration', { detail });
      const title = 'The service is not configured';
      const headers = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', 'Retry-After': '30' };
      return Response.json({ type: 'about:blank', title, status: 503, detail: title }, { status: 503, headers });
    }
  },
  async scheduled(_controller, bindings) {
    const { app, refuseWrongSecret } = await getApplication(bindings);
    await refuseWrongSecret();
    await app.runScheduled();
    await app.drain();
    await app.flush();
  },
} satisfies ExportedHandler<WorkerBindings>;
