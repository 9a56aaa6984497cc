import { Ratelimit } from '@upstash/ratelimit';
import { attemptScript, failScript, forgiveScript } from './attempt-scripts.ts';
import { addScript, sumsScript } from './sum-scripts.ts';

export interface Script {
  readonly source: string;
  readonly sha1: string;
}

export type ScriptName = 'limit' | 'attempt' | 'forgive' | 'fail' | 'add' | 'sums';
export type Scripts = Readonly<Record<ScriptName, Script>>;

/** The name of this application in a Redis that may serve others too. */
const limitPrefix = 'edge-auth:limit';

type RatelimitRedis = ConstructorParameters<typeof Ratelimit>[0]['redis'];
type Evaluate = (scriptOrSha1: string, keys: string[], args: readonly unknown[]) => Promise<unknown>;

interface Window {
  /** How many hits it lets through. */
  readonly limit: number;
  /** How long it is: milliseconds. */
  readonly length: number;
  /** What cuts one window from the next: milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * A sliding window of @upstash/ratelimit. The library cuts windows by `Date.now()`, which anyone may set: here the clock of
 * the caller does, so that replicas whose machines differ count in the same window.
 * @returns what counts a hit under a key, or gives `rate` hits back where that is negative
 */
export function createSlidingWindow({ limit, length, now }: Window, evaluate: Evaluate) {
  return async (key: string, rate?: number) => {
    const time = now();
    const index = Math.floor(time / length);
    const byCaller: Evaluate = async (sha1, [current = ''], [tokens, , ...others]) => {
      const name = current.slice(0, current.lastIndexOf(':'));
      return await evaluate(sha1, [`${name}:${index}`, `${name}:${index - 1}`], [tokens, time, ...others]);
    };
    const options = rate === undefined ? undefined : { rate };
    const { success, remaining } = await createRatelimit(limit, length, byCaller).limit(key, options);
    return { success, remaining, reset: (index + 1) * length };
  };
}

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

/** @param adapt what the adapter has to change of a script, for its Redis to take it */
export async function readScripts(adapt: (script: Script) => Script): Promise<Scripts> {
  const own = async (source: string) => adapt({ source, sha1: await sha1Of(source) });
  const [limit, attempt, forgive, fail, add, sums] = await Promise.all([
    readScript(),
    own(attemptScript),
    own(forgiveScript),
    own(failScript),
    own(addScript),
    own(sumsScript),
  ]);
  return { limit: adapt(limit), attempt, forgive, fail, add, sums };
}

/** As Redis names a script. */
async function sha1Of(source: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(source));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
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
