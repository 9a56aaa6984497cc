import { Ratelimit } from '@upstash/ratelimit';
import { KeyValueUnavailable, type LimitOperation, type Operation, type Result, toMilliseconds } from '../kv.ts';

/**
 * What the two Redis adapters share: every operation of the port becomes one command, and all commands of one `run`
 * travel together.
 */
export type Command =
  | {
      readonly type: 'eval';
      readonly source: string;
      readonly keys: readonly string[];
      readonly args: readonly string[];
    }
  | {
      readonly type: 'evalsha';
      readonly sha1: string;
      readonly keys: readonly string[];
      readonly args: readonly string[];
    }
  | { readonly type: 'get'; readonly keys: readonly string[] }
  | {
      readonly type: 'set';
      readonly key: string;
      readonly value: string;
      readonly milliseconds: number | undefined;
      readonly ifAbsent: boolean;
    };

/** What Redis answered to one command when it answered with an error. Holds the code alone: messages quote keys. */
export class ErrorReply {
  readonly code: string;

  constructor(message: string) {
    this.code = /^[A-Z]+(?= |$)/.exec(message)?.[0] ?? 'refused';
  }
}

/** Sends commands in one round trip. Gives each one's reply; rejects when the store cannot be reached. */
export type Exchange = (commands: readonly Command[]) => Promise<readonly unknown[]>;

export interface Script {
  readonly source: string;
  readonly sha1: string;
}

/** The names of this application in a Redis that may serve others too. */
const limitPrefix = 'edge-auth:limit';
// A lone surrogate cannot be written as UTF-8: both adapters shall name the same key then.
const valueKey = (key: string) => `edge-auth:value:${key.toWellFormed()}`;

/**
 * @param exchange how the adapter sends commands
 * @param adapt what the adapter has to change of the script of @upstash/ratelimit, for its Redis to take it
 */
export function createRunner(exchange: Exchange, adapt: (script: Script) => Script = (script) => script) {
  let script: Script | undefined;
  let scriptSent = false;

  /**
   * The first run of a process sends the script itself and every later one its SHA-1: an EVALSHA of a script that
   * Redis does not know yet would cost a second round trip. That remains for a Redis that has lost its scripts since
   * (restart, failover, SCRIPT FLUSH): what it did not know is asked again, with the script, in the same call.
   */
  async function exchangeAll(calls: readonly Call[], { source, sha1 }: Script): Promise<readonly unknown[]> {
    const byHash = (call: Call): Command => (call.type === 'script' ? { ...call, type: 'evalsha', sha1 } : call);
    const bySource = (call: Call): Command => (call.type === 'script' ? { ...call, type: 'eval', source } : call);
    // Commands run in order: once is enough.
    const withSource = (list: readonly Call[]) => {
      const first = list.findIndex((call) => call.type === 'script');
      return list.map((call, index) => (index === first ? bySource(call) : byHash(call)));
    };

    const replies = [...(await exchange(scriptSent ? calls.map(byHash) : withSource(calls)))];
    const unknown = [...replies.keys()].filter((index) => isUnknownScript(replies[index]));
    if (unknown.length > 0) {
      const again = await exchange(withSource(calls.filter((_, index) => unknown.includes(index))));
      for (const [position, index] of unknown.entries()) replies[index] = again[position];
    }
    const error = replies.find((reply) => reply instanceof ErrorReply);
    if (error !== undefined) throw new KeyValueUnavailable(error.code);
    if (calls.some((call) => call.type === 'script')) scriptSent = true;
    return replies;
  }

  return async (operations: readonly Operation[]): Promise<readonly Result[]> => {
    script ??= adapt(await readScript());
    const calls: Call[] = [];
    const replies = Promise.withResolvers<readonly unknown[]>();
    const send: Send = async (call) => {
      const index = calls.push(call) - 1;
      return (await replies.promise)[index];
    };
    // Every operation sends before it first waits, so after this line `calls` is complete.
    const results = Promise.all(operations.map((operation) => perform(operation, send)));
    if (calls.length > 0) exchangeAll(calls, script).then(replies.resolve, replies.reject);
    return results;
  };
}

type Call =
  | { readonly type: 'script'; readonly keys: readonly string[]; readonly args: readonly string[] }
  | Exclude<Command, { type: 'eval' | 'evalsha' }>;
type Send = (call: Call) => Promise<unknown>;

const isUnknownScript = (reply: unknown) => reply instanceof ErrorReply && reply.code === 'NOSCRIPT';

async function perform(operation: Operation, send: Send): Promise<Result> {
  if (operation.type === 'limit') return hit(operation, send);
  if (operation.type === 'set') {
    const { key, value, ttl, ifAbsent = false } = operation;
    const milliseconds = ttl === undefined ? undefined : toMilliseconds(ttl);
    const reply = await send({ type: 'set', key: valueKey(key), value, milliseconds, ifAbsent });
    if (reply !== 'OK' && reply !== null) throw new KeyValueUnavailable('refused');
    return reply === 'OK';
  }
  // MGET without keys is an error.
  if (operation.keys.length === 0) return [];
  const values = await send({ type: 'get', keys: operation.keys.map(valueKey) });
  if (!Array.isArray(values) || values.length !== operation.keys.length) throw new KeyValueUnavailable('refused');
  return values.map((value: unknown) => (typeof value === 'string' ? value : null));
}

async function hit({ key, limit, window }: LimitOperation, send: Send): Promise<Result> {
  const ratelimit = createRatelimit(limit, toMilliseconds(window), async (_sha1, keys, args) => {
    const reply = await send({ type: 'script', keys, args: args.map(String) });
    // A reply of another shape would be taken for a permission.
    if (!Array.isArray(reply) || !reply.every(Number.isInteger)) throw new KeyValueUnavailable('refused');
    return reply;
  });
  const { success, remaining, reset } = await ratelimit.limit(key.toWellFormed());
  return { success, limit, remaining, reset };
}

type RatelimitRedis = ConstructorParameters<typeof Ratelimit>[0]['redis'];
type Evaluate = (scriptOrSha1: string, keys: string[], args: readonly unknown[]) => Promise<unknown>;

function createRatelimit(limit: number, milliseconds: number, evalsha: Evaluate, evaluate = evalsha): Ratelimit {
  // A sliding window calls these two alone.
  const redis: unknown = { evalsha, eval: evaluate };
  return new Ratelimit({
    redis: redis as RatelimitRedis,
    limiter: Ratelimit.slidingWindow(limit, `${milliseconds} ms`),
    prefix: limitPrefix,
    // Its own time-out lets the request pass, and its cache grows without bound: neither is for us.
    timeout: 0,
    ephemeralCache: false,
    analytics: false,
    enableTelemetry: false,
  });
}

/** The Lua script that @upstash/ratelimit runs for a sliding window, got by telling it that the script is not known. */
async function readScript(): Promise<Script> {
  let script: Script = { source: '', sha1: '' };
  const evalsha: Evaluate = async (sha1) => {
    script = { ...script, sha1 };
    throw new Error('NOSCRIPT');
  };
  const evaluate: Evaluate = async (source) => {
    script = { ...script, source };
    return [0, 0];
  };
  await createRatelimit(1, 1, evalsha, evaluate).limit('');
  return script;
}
