import { type AddOperation, KeyValueUnavailable, toMilliseconds } from '../kv.ts';

/** Lets Upstash lock the keys of a script and not the whole database; plain Redis has it taken off, see `redis.ts`. */
const shebang = '#!lua flags=allow-key-locking\n';

/**
 * KEYS: the hash of sums, and the ids that were added with the times when they may be forgotten. ARGV: the id, now, the
 * memory and the ttl in milliseconds, then each field and its amount. Gives 0 where the id is known.
 * The id is noted last: where the first addition fails, nothing was done.
 */
export const addScript = `${shebang}
local now, memory = tonumber(ARGV[2]), tonumber(ARGV[3])
local till = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0)
if till > now then return 0 end
for i = 5, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
redis.call('ZADD', KEYS[2], string.format('%.0f', now + memory), ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1`;

/** KEYS: the hash of sums. A script, since the two protocols answer HGETALL in different shapes. */
export const sumsScript = `${shebang}
return redis.call('HGETALL', KEYS[1])`;

export function addArguments({ id, now, memory, ttl, amounts }: AddOperation): string[] {
  const durations = [memory, ttl].map(toMilliseconds);
  return [id.toWellFormed(), now, ...durations, ...[...amounts].flat()].map((each) => String(each).toWellFormed());
}

/** @throws {KeyValueUnavailable} for a reply of another shape */
export function readSumsReply(reply: unknown): ReadonlyMap<string, number> {
  if (!Array.isArray(reply) || reply.length % 2 !== 0) throw new KeyValueUnavailable('refused');
  const sums = new Map<string, number>();
  for (let index = 0; index < reply.length; index += 2) {
    const sum = Number(reply[index + 1]);
    if (!Number.isFinite(sum)) throw new KeyValueUnavailable('refused');
    sums.set(String(reply[index]), sum);
  }
  return sums;
}
