import { KeyValueUnavailable, toMilliseconds } from '../kv.ts';
import { type AttemptOperation, type AttemptResult, longestAttempt } from '../kv-attempts.ts';

/** Lets Upstash lock the keys of a script and not the whole database; plain Redis has it taken off, see `redis.ts`. */
const shebang = '#!lua flags=allow-key-locking\n';

/**
 * KEYS: the counters, then the reset key. ARGV: now, the longest attempt, then for each counter how many failures lock
 * it, the pause, the longest pause and the memory, in milliseconds. Gives 1 where it was allowed, 0 where it is locked, 2
 * where others under way alone lock it; then until when, and the counts.
 * The expiry is for tidying alone: what counts is the caller's clock.
 */
export const attemptScript = `${shebang}
local now = tonumber(ARGV[1])
local reset = redis.call('GET', KEYS[#KEYS])
local locked = 0
local settled = false
local states = {}
for i = 1, #KEYS - 1 do
  local kept = redis.call('HMGET', KEYS[i], 'failures', 'since', 'until', 'forget', 'reset', 'pending', 'lease')
  local state = { failures = tonumber(kept[1]), since = tonumber(kept[2]), till = tonumber(kept[3]), reset = kept[5],
    pending = (tonumber(kept[7]) or 0) > now and tonumber(kept[6]) or 0 }
  if not kept[1] or tonumber(kept[4]) <= now or (reset and kept[5] ~= reset) then
    state = { failures = 0, since = now, till = 0, reset = reset or '', pending = 0 }
  end
  if state.till > now then
    locked = math.max(locked, state.till)
    settled = settled or state.pending == 0
  end
  states[i] = state
end
local reply = { locked == 0 and 1 or settled and 0 or 2, locked }
for i, state in ipairs(states) do
  if locked == 0 then
    local lock, pause, longest, memory = unpack(ARGV, 4 * i - 1, 4 * i + 2)
    state.failures = state.failures + 1
    state.till = 0
    if state.failures >= tonumber(lock) then
      state.till = now + math.min(tonumber(pause) * 2 ^ (state.failures - tonumber(lock)), tonumber(longest))
    end
    local forget = math.max(state.since + tonumber(memory), state.till)
    local text = function(number) return string.format('%.0f', number) end
    redis.call('HSET', KEYS[i], 'failures', text(state.failures), 'since', text(state.since),
      'until', text(state.till), 'forget', text(forget), 'reset', state.reset,
      'pending', text(state.pending + 1), 'lease', text(now + tonumber(ARGV[2])))
    redis.call('PEXPIRE', KEYS[i], text(forget - now))
  end
  reply[i + 2] = state.failures
end
return reply`;

/** KEYS: one counter. ARGV: 'all' or 'one'. Gives whether there was any. */
export const forgiveScript = `${shebang}
local kept = redis.call('HMGET', KEYS[1], 'failures', 'pending')
local left = (tonumber(kept[1]) or 0) - 1
local pending = math.max((tonumber(kept[2]) or 0) - 1, 0)
if ARGV[1] == 'all' then left = math.min(left, pending) end
if left <= 0 then return redis.call('DEL', KEYS[1]) end
local text = function(number) return string.format('%.0f', number) end
redis.call('HSET', KEYS[1], 'failures', text(left), 'pending', text(pending), 'until', 0)
return 1`;

/** KEYS: one counter. Gives whether an attempt was under way. */
export const failScript = `${shebang}
local pending = tonumber(redis.call('HGET', KEYS[1], 'pending') or 0)
if pending <= 0 then return 0 end
redis.call('HSET', KEYS[1], 'pending', string.format('%.0f', pending - 1))
return 1`;

export function attemptArguments({ counters, now }: AttemptOperation): string[] {
  const numbers = counters.flatMap(({ failures, pause, longestPause, memory }) => [
    failures,
    ...[pause, longestPause, memory].map(toMilliseconds),
  ]);
  return [now, longestAttempt, ...numbers].map(String);
}

/** @throws {KeyValueUnavailable} for a reply of another shape, which would be taken for a permission */
export function readAttemptReply(reply: unknown, { counters }: AttemptOperation): AttemptResult {
  if (!Array.isArray(reply) || !reply.every(Number.isInteger) || reply.length !== counters.length + 2) {
    throw new KeyValueUnavailable('refused');
  }
  const [verdict, until, ...failures] = reply;
  return { allowed: verdict === 1, isPending: verdict === 2, until, failures };
}
