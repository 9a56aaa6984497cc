import { inject, onTestFinished } from 'vitest';
import { runtime } from '#test-runtime';
import { type App, createApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { createKeyring } from '../../src/crypto/derive.ts';
import { createPasswordHasher } from '../../src/crypto/password-hash.ts';
import { uuidv7 } from '../../src/crypto/random.ts';
import type { Deps } from '../../src/deps.ts';
import type { Sink } from '../../src/events/sink.ts';
import type { KeyValue } from '../../src/kv.ts';
import type { Mail, Mailer } from '../../src/mailer.ts';
import { createLog } from '../../src/ops/log.ts';
import { createBreachedPasswords } from '../../src/platform/breached-passwords.ts';
import { withDeadline } from '../../src/platform/kv-deadline.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { testSecret } from './secret.ts';

export const issuer = 'https://auth.test';

/** A clock that stands still until the test moves it. */
export interface Clock {
  now(): number;
  advance(seconds: number): void;
}

export function createClock(start = Date.now()): Clock {
  let time = start;
  return {
    now: () => time,
    advance(seconds) {
      time += seconds * 1000;
    },
  };
}

/** Names this worker to the server of databases. Made late: the module's own scope has no random numbers on Workers. */
let worker: string | undefined;

/**
 * A migrated database, which is the test's own until it ends. It holds a signing key under the tests' usual secret.
 * @param kind `keyless` where not even that must be there
 */
export async function createDatabase(kind: '' | 'keyless' = ''): Promise<string> {
  const server = inject('databaseServer');
  worker ??= crypto.randomUUID();
  const response = await fetch(`${server}?${kind}&${worker}`, { method: 'POST' });
  if (!response.ok) throw new Error(await response.text());
  const url = await response.text();
  const giveBack = async () => {
    const name = new URL(url).pathname.slice(1);
    await (await fetch(`${server}?${name}`, { method: 'DELETE' })).text();
  };
  try {
    onTestFinished(giveBack);
  } catch {
    // Made for a whole file, which keeps it.
  }
  return url;
}

export interface TestAppOptions {
  /** Further variables, as an operator would set them. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Of another test application: two that share it are two isolates or replicas of one service. */
  readonly databaseUrl?: string;
  /** Its database has no signing key yet: for tests that are about keys. */
  readonly keyless?: boolean;
  readonly clock?: Clock;
  /** `memory` unless told; `shared` is Upstash in workerd and Redis on Node. */
  readonly kv?: 'memory' | 'shared' | KeyValue;
  readonly hasher?: Deps['hasher'];
  /** In place of the steady clock of the process. */
  readonly steady?: Deps['steady'];
  /** What stands between the application and its database. */
  readonly wrapDatabase?: (db: Deps['db']) => Deps['db'];
  /** How long the check for breached passwords may take, in milliseconds. */
  readonly breachTimeout?: number;
  /** Takes the mails instead of the test's own mailbox. */
  readonly mailer?: Mailer;
  /** Who takes events; nobody unless told. What is enqueued to them `variables` say. */
  readonly sinks?: readonly Sink[];
  readonly traceExporter?: Deps['traceExporter'];
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape, and fail where it is another
  readonly body: any;
  /** Statements and round trips so far when the answer came: what is done after it is not among them. */
  readonly soFar: readonly [statements: number, roundTrips: number];
}

export interface TestApp {
  readonly app: App;
  readonly deps: Deps;
  readonly clock: Clock;
  readonly databaseUrl: string;
  /** Every statement so far, with its parameters. */
  readonly statements: { readonly sql: string; readonly params: readonly unknown[] }[];
  /** The number of round trips to the key-value store so far. */
  readonly roundTrips: () => number;
  /** Every mail so far, oldest first. */
  readonly mails: Mail[];
  /** Every line logged so far. */
  readonly logLines: string[];
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** Only for one that was made outside of a test: all others end with theirs. */
  close(): Promise<void>;
}

export interface RequestOptions {
  /** Sent as JSON, unless it is a string or bytes: then as it is. */
  readonly body?: unknown;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
  readonly signal?: AbortSignal;
}

/** Cheap, and the same code as in production: for tests that are not about the cost of a hash. */
const cheap = { memory: 64, iterations: 1, parallelism: 1 };

/** The application as one isolate of the runtime the test runs on, driven through HTTP. Ends with the test. */
export async function testApp(options: TestAppOptions = {}): Promise<TestApp> {
  const clock = options.clock ?? createClock();
  // The key that is there opens under the usual secret alone.
  const isKeyless = options.keyless ?? options.variables?.['AUTH_SECRET'] !== undefined;
  const databaseUrl = options.databaseUrl ?? (await createDatabase(isKeyless ? 'keyless' : ''));
  const config: Config = readConfig({
    ENVIRONMENT: 'dev',
    AUTH_SECRET: testSecret,
    ISSUER: issuer,
    DATABASE_URL: databaseUrl,
    ...options.variables,
  });
  const statements: TestApp['statements'] = [];
  const logger = { logQuery: (sql: string, params: unknown[]) => void statements.push({ sql, params }) };
  const database = runtime.openDatabase({ url: databaseUrl, logger, isKept: true });
  const logLines: string[] = [];
  const mails: Mail[] = [];
  const keyring = await createKeyring(config.secrets, config.previousSecretsUntil);
  let roundTrips = 0;
  const kv = counted(openKeyValue(options.kv ?? 'memory', clock), () => {
    roundTrips += 1;
  });
  const deps: Deps = {
    config,
    keyring,
    kv,
    db: options.wrapDatabase?.(database.db) ?? database.db,
    now: clock.now,
    steady: options.steady ?? (() => performance.now()),
    newId: () => uuidv7(clock.now()),
    fallback: createMemoryKeyValue({ now: clock.now }),
    mailer: options.mailer ?? createMailbox(mails),
    sinks: options.sinks ?? [],
    assets: runtime.assets,
    traceExporter: options.traceExporter,
    log: createLog('debug', clock.now, (line) => void logLines.push(line)),
    isBreached: createBreachedPasswords(config.breachedPasswordUrl, options.breachTimeout),
    hasher:
      options.hasher ??
      createPasswordHasher({
        hashing: runtime.hashing,
        legacyPeppers: config.legacyPeppers,
        peppers: keyring.all.map(({ id, pepper }) => ({ id, key: pepper })),
        keyring,
        parameters: cheap,
      }),
  };
  const app = createApp(deps);
  const close = async () => {
    await kv.close();
    await database.close();
  };
  try {
    onTestFinished(close);
  } catch {
    // Made for several tests, which close it after the last.
  }

  async function request(method: string, path: string, sent: RequestOptions = {}): Promise<Answer> {
    const headers = new Headers(sent.headers);
    if (sent.body !== undefined && !headers.has('Content-Type')) headers.set('Content-Type', 'application/json');
    if (sent.token !== undefined) headers.set('Authorization', `Bearer ${sent.token}`);
    const isRaw = sent.body === undefined || typeof sent.body === 'string' || sent.body instanceof Uint8Array;
    const body = isRaw ? sent.body : JSON.stringify(sent.body);
    const init = { method, headers, ...(body === undefined ? {} : { body }), signal: sent.signal ?? null };
    const background: Promise<unknown>[] = [];
    const context = {
      waitUntil: (promise: Promise<unknown>) => void background.push(promise),
      passThroughOnException() {},
      props: {},
    };
    const clientAddress = sent.address ?? '192.0.2.1';
    const response = await app.fetch(new Request(`${issuer}${path}`, init), { clientAddress }, context);
    const soFar = [statements.length, roundTrips] as const;
    const text = await response.text();
    await Promise.all(background);
    const isJson = text !== '' && /json/.test(response.headers.get('Content-Type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text, soFar };
  }

  return { app, deps, clock, databaseUrl, statements, roundTrips: () => roundTrips, logLines, mails, request, close };
}

/** Takes every mail at once. */
function createMailbox(mails: Mail[]): Mailer {
  return {
    kind: 'mailbox',
    send: async (mail) => void mails.push(mail),
    close: async () => undefined,
  };
}

function openKeyValue(kind: NonNullable<TestAppOptions['kv']>, clock: Clock): KeyValue {
  if (kind === 'memory') return createMemoryKeyValue({ now: clock.now });
  if (kind !== 'shared') return kind;
  const shared = runtime.openKeyValue({ token: `test-${crypto.randomUUID()}` });
  if (shared === undefined) throw new Error('No Redis for this test: ask `hasSharedKeyValue` first');
  return withDeadline(shared);
}

/** Whether `kv: 'shared'` can be had here. In CI the suite does not start without it. */
export const hasSharedKeyValue = () => inject('redisUrl') !== null;

function counted(kv: KeyValue, count: () => void): KeyValue {
  return {
    kind: kv.kind,
    run: (operations) => {
      count();
      return kv.run(operations);
    },
    ping: () => kv.ping(),
    close: () => kv.close(),
  };
}

export const password = 'correct horse battery staple';

/** Registers somebody with a random address. */
export async function registerUser(
  { request }: Pick<TestApp, 'request'>,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<{ id: string; email: string; access: string; refresh: string }> {
  const email = `user-${crypto.randomUUID()}@example.com`;
  const { status, body } = await request('POST', '/auth/register', { body: { email, password, ...fields } });
  if (status !== 201) throw new Error(`Not registered: ${status} ${JSON.stringify(body)}`);
  return { id: body.user.id, email, access: body.access_token, refresh: body.refresh_token };
}
