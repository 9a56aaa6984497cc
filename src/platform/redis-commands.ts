import { KeyValueUnavailable, type LimitOperation, type Operation, type Result, toMilliseconds } from '../kv.ts';
import { attemptArguments, readAttemptReply } from './attempt-scripts.ts';
import { createSlidingWindow, readScripts, type Script, type ScriptName, type Scripts } from './redis-scripts.ts';
import { addArguments, readSumsReply } from './sum-scripts.ts';

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

// The names of this application in a Redis that may serve others too. A lone surrogate cannot be written as UTF-8: both adapters shall name the same key then.
const valueKey = (key: string) => `edge-auth:value:${key.toWellFormed()}`;
const attemptKey = (key: string) => `edge-auth:attempt:${key.toWellFormed()}`;
const sumsKey = (key: string) => `edge-auth:sums:${key.toWellFormed()}`;
const addedKey = (key: string) => `edge-auth:added:${key.toWellFormed()}`;

/**
 * @param exchange how the adapter sends commands
 * @param adapt what the adapter has to change of a script, for its Redis to take it
 * @param now the clock that callers go by: milliseconds since the epoch
 */
export function createRunner(
  exchange: Exchange,
  adapt: (script: Script) => Script = (script) => script,
  now: () => number = Date.now,
) {
  let scripts: Scripts | undefined;
  const sent = new Set<ScriptName>();

  /**
   * The first run of a process sends a script itself and every later one its SHA-1: an EVALSHA of a script that
   * Redis does not know yet would cost a second round trip. That remains for a Redis that has lost its scripts since
   * (restart, failover, SCRIPT FLUSH): what it did not know is asked again, with the script, in the same call.
   */
  async function exchangeAll(calls: readonly Call[], known: Scripts): Promise<readonly unknown[]> {
    const replies = [...(await exchange(toCommands(calls, known, sent)))];
    const unknown = [...replies.keys()].filter((index) => isUnknownScript(replies[index]));
    if (unknown.length > 0) {
      const calledAgain = calls.filter((_, index) => unknown.includes(index));
      const again = await exchange(toCommands(calledAgain, known));
      for (const [position, index] of unknown.entries()) replies[index] = again[position];
    }
    const error = replies.find((reply) => reply instanceof ErrorReply);
    if (error !== undefined) throw new KeyValueUnavailable(error.code);
    for (const call of calls) if (call.type === 'script') sent.add(call.script);
    return replies;
  }

  return async (operations: readonly Operation[]): Promise<readonly Result[]> => {
    scripts ??= await readScripts(adapt);
    const calls: Call[] = [];
    const replies = Promise.withResolvers<readonly unknown[]>();
    const send: Send = async (call) => {
      const index = calls.push(call) - 1;
      return (await replies.promise)[index];
    };
    // Every operation sends before it first waits, so after this line `calls` is complete.
    const results = Promise.all(operations.map((operation) => perform(operation, send, now)));
    if (calls.length > 0) exchangeAll(calls, scripts).then(replies.resolve, replies.reject);
    return results;
  };
}

interface ScriptCall {
  readonly type: 'script';
  readonly script: ScriptName;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}
type Call = ScriptCall | Exclude<Command, { type: 'eval' | 'evalsha' }>;
type Send = (call: Call) => Promise<unknown>;

/** @param sent the scripts that Redis has; commands run in order, so of each other one the first call is enough */
function toCommands(calls: readonly Call[], scripts: Scripts, sent: ReadonlySet<ScriptName> = new Set()): Command[] {
  const has = new Set(sent);
  return calls.map((call) => {
    if (call.type !== 'script') return call;
    const { script, keys, args } = call;
    const { source, sha1 } = scripts[script];
    if (has.has(script)) return { type: 'evalsha', sha1, keys, args };
    has.add(script);
    return { type: 'eval', source, keys, args };
  });
}

const isUnknownScript = (reply: unknown) => reply instanceof ErrorReply && reply.code === 'NOSCRIPT';

async function perform(operation: Operation, send: Send, now: () => number): Promise<Result> {
  switch (operation.type) {
    case 'limit':
      return hit(operation, send, now);
    case 'attempt': {
      const { counters, resetKey } = operation;
      if (counters.length === 0) return { allowed: true, isPending: false, until: 0, failures: [] };
      const keys = [...counters.map(({ key }) => attemptKey(key)), valueKey(resetKey)];
      const reply = await send({ type: 'script', script: 'attempt', keys, args: attemptArguments(operation) });
      return readAttemptReply(reply, operation);
    }
    case 'forgive': {
      const { key, all = false } = operation;
      const args = [all ? 'all' : 'one'];
      return (await send({ type: 'script', script: 'forgive', keys: [attemptKey(key)], args })) === 1;
    }
    case 'fail':
      return (await send({ type: 'script', script: 'fail', keys: [attemptKey(operation.key)], args: [] })) === 1;
    case 'add': {
      const keys = [sumsKey(operation.key), addedKey(operation.key)];
      return (await send({ type: 'script', script: 'add', keys, args: addArguments(operation) })) === 1;
    }
    case 'sums':
      return readSumsReply(await send({ type: 'script', script: 'sums', keys: [sumsKey(operation.key)], args: [] }));
    case 'set': {
      const { key, value, ttl, ifAbsent = false } = operation;
      const milliseconds = ttl === undefined ? undefined : toMilliseconds(ttl);
      const reply = await send({ type: 'set', key: valueKey(key), value, milliseconds, ifAbsent });
      if (reply !== 'OK' && reply !== null) throw new KeyValueUnavailable('refused');
      return reply === 'OK';
    }
    case 'return': {
      await slidingWindow(operation, send, now)(operation.key.toWellFormed(), -1);
      return true;
    }
    case 'get': {
      // MGET without keys is an error.
      if (operation.keys.length === 0) return [];
      const values = await send({ type: 'get', keys: operation.keys.map(valueKey) });
      if (!Array.isArray(values) || values.length !== operation.keys.length) throw new KeyValueUnavailable('refused');
      return values.map((value: unknown) => (typeof value === 'string' ? value : null));
    }
  }
}

async function hit(operation: LimitOperation, send: Send, now: () => number): Promise<Result> {
  const counted = await slidingWindow(operation, send, now)(operation.key.toWellFormed());
  return { ...counted, limit: operation.limit };
}

const slidingWindow = ({ limit, window }: Pick<LimitOperation, 'limit' | 'window'>, send: Send, now: () => number) =>
  createSlidingWindow({ limit, length: toMilliseconds(window), now }, async (_sha1, keys, args) => {
    const reply = await send({ type: 'script', script: 'limit', keys, args: args.map(String) });
    // A reply of another shape would be taken for a permission.
    if (!Array.isArray(reply) || !reply.every(Number.isInteger)) throw new KeyValueUnavailable('refused');
    return reply;
  });
