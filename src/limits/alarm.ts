import type { Deps } from '../deps.ts';
import type { KeyValue } from '../kv.ts';
import type { FailOperation } from '../kv-attempts.ts';
import { count as countMetric } from '../ops/observation.ts';
import { tellLater, wasNotSent } from './lockout.ts';
import { limitOperation } from './rate-limit.ts';

/**
 * Counts a failed sign-in of the whole service, whoever it was for: many accounts tried once each are seen nowhere
 * else. Logs `login_failures_alarm` once in a window that has more of them than `login_failures` says.
 * @param outcome leaves its attempt counted (`failOperations`), in the same round trip
 */
export async function countFailedLogin(
  { config, fallback, kv, log }: Pick<Deps, 'config' | 'fallback' | 'kv' | 'log'>,
  outcome: readonly FailOperation[],
): Promise<void> {
  const policy = 'login_failures';
  const { limit, window } = config.limits[policy];
  const count = async (store: KeyValue, told: readonly FailOperation[] = []) => {
    const [{ success }] = await store.run([limitOperation(config, { policy, key: 'all' }), ...told]);
    countMetric('edge_auth_rate_limit_hits_total', { policy, result: success ? 'allowed' : 'refused' });
    if (success) return;
    const [isFirst] = await store.run([
      { type: 'set', key: `alarm:${policy}`, value: '', ttl: window, ifAbsent: true },
    ]);
    if (isFirst) log.error('login_failures_alarm', { limit, window_s: window });
  };
  await fallback.run(outcome);
  await count(kv, outcome).catch(async (error: unknown) => {
    await count(fallback);
    if (wasNotSent(error)) await tellLater(kv, outcome);
  });
}
