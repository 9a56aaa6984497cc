import type { Operation } from './kv.ts';

const counter = (key: string) => ({ key, failures: 1_000_000_000, pause: 1, longestPause: 1, memory: 1 });

/** The scripts go by differences to the time of their caller: any one does. */
const now = 1;

/**
 * One of each kind of operation that requests send, on keys of their own which last for a second: a store that answers
 * these serves requests. PING says less: a cluster, a replica, or a role that may not run scripts answers it too.
 */
export const probe = (): readonly Operation[] => [
  { type: 'limit', key: 'probe', limit: 1_000_000_000, window: 1 },
  { type: 'attempt', counters: [counter('probe'), counter('probe-2')], resetKey: 'probe', now },
  { type: 'forgive', key: 'probe' },
  { type: 'set', key: 'probe', value: '', ttl: 1 },
  { type: 'get', keys: ['probe', 'probe-2'] },
  {
    ...{ type: 'add', key: 'probe', id: crypto.randomUUID(), memory: 1, ttl: 1, now },
    amounts: new Map([['probe', 1]]),
  },
];
