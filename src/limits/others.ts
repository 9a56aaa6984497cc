import type { Call } from '../call.ts';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import type { AttemptResult } from '../kv-attempts.ts';
import { countShared } from './counting.ts';
import { type Attempt, attemptOperation } from './lockout.ts';

/** Milliseconds. So long an attempt waits for others at most: longer than hashes wait for their turn. */
const longestWait = 8000;
/** The longest pauses, before it is counted again for the first time and for any. Those that met once spread out. */
const [firstPause, longestPause] = [20, 320];

/**
 * Counts an attempt again that was refused for the sake of others that are under way, until it is let in or they have
 * failed. A right password is not refused so because others come with it, and of wrong ones no more go through at once
 * than in a row.
 * @param first how it was counted when it came
 * @param call whose signal is aborted when nobody waits any more
 * @returns how it is counted at last
 * @throws {Problem} `overloaded` where the others take too long; `client_closed_request`
 */
export async function awaitOthers(
  deps: Pick<Deps, 'config' | 'fallback' | 'kv' | 'now' | 'steady'>,
  attempt: Attempt,
  first: AttemptResult,
  call: Pick<Call, 'signal'>,
): Promise<AttemptResult> {
  const { config, now, steady } = deps;
  const startedAt = steady();
  let tried = first;
  for (let times = 0; tried.isPending; times += 1) {
    if (steady() - startedAt > longestWait) throw new Problem('overloaded', { headers: { 'Retry-After': '2' } });
    const pause = Math.min(firstPause * 2 ** times, longestPause) * (1 + Math.random());
    await new Promise((resolve) => setTimeout(resolve, pause / 2));
    // It is not counted: no others wait for its outcome.
    if (call.signal.aborted) throw new Problem('client_closed_request');
    [, tried] = await countShared(deps, { type: 'get', keys: [] }, attemptOperation(config, attempt, now()), []);
  }
  return tried;
}
