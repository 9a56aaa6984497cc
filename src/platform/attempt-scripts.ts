import { type AttemptOperation, type AttemptResult, KeyValueUnavailable, toMilliseconds } from '../kv.ts';

/** Lets Upstash lock the keys of a script and not the whole database; plain Redis has it taken off, see `redis.ts`. */
const shebang = '#!lua flags=allow-key-locking\n';

/**
 * KEYS: the counters, then the reset key. ARGV: now, then for each counter how many failures lock it, the pause, the
 * longest pause and the memory, in milliseconds. Gives whether it was allowed, until when it is locked, and the counts.
 * The expiry is for tidying alone: what counts is the caller's clock.
 */
export const attemptScript = `${shebang}
local now = tonumber(ARGV[1])
local reset = redis.call('GET', KEYS[#KEYS])
local locked = 0
local states = {}
for i = 1, #KEYS - 1 do
  local kept = redis.call('HMGET', KEYS[i], 'failures', 'since', 'until', 'forget', 'reset')
  local state = { failures = tonumber(kept[1]), since = tonumber(kept[2]), till = tonumber(kept[3]), reset = kept[5] }
  if not kept[1] or tonumber(kept[4]) <= now or (reset and kept[5] ~= reset) then
    state = { failures = 0, since = now, till = 0, reset = reset or '' }
  end
  if state.till > now then locked = math.max(locked, state.till) end
  states[i] = state
end
local reply = { locked == 0 and 1 or 0, locked }
for i, state in ipairs(states) do
  if locked == 0 then
    local lock, pause, longest, memory = unpack(ARGV, 4 * i - 2, 4 * i + 1)
    state.failures = state.failures + 1
    state.till = 0
    if state.failures >= tonumber(lock) then
      state.till = now + math.min(tonumber(pause) * 2 ^ (state.failures - tonumber(lock)), tonumber(longest))
    end
    local forget = math.max(state.since + tonumber(memory), state.till)
    local text = function(number) return string.format('%.0f', number) end
    redis.call('HSET', KEYS[i], 'failures', text(state.failures), 'since', text(state.since),
      'until', text(state.till), 'forget', text(forget), 'reset', state.reset)
    redis.call('PEXPIRE', KEYS[i], text(forget - now))
  end
  reply[i + 2] = state.failures
end
return reply`;

/** KEYS: one counter. ARGV: 'all' or 'one'. Gives whether there was any. */
export const forgiveScript = `${shebang}
local failures = tonumber(redis.call('HGET', KEYS[1], 'failures') or 0)
if failures <= 1 or ARGV[1] == 'all' then return redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'failures', string.format('%.0f', failures - 1), 'until', 0)
return 1`;

export function attemptArguments({ counters, now }: AttemptOperation): string[] {
  const numbers = counters.flatMap(({ failures, pause, longestPause, memory }) => [
    failures,
    ...[pause, longestPause, memory].map(toMilliseconds),
  ]);
  return [now, ...numbers].map(String);
}

/** @throws {KeyValueUnavailable} for a reply of another shape, which would be taken for a permission */
export function readAttemptReply(reply: unknown, { counters }: AttemptOperation): AttemptResult {
  if (!Array.isArray(reply) || !reply.every(Number.isInteger) || reply.length !== counters.length + 2) {
    throw new KeyValueUnavailable('refused');
  }
  const [allowed, until, ...failures] = reply;
  return { allowed: allowed === 1, until, failures };
}
