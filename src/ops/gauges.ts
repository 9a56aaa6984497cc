import type { Deps } from '../deps.ts';
import { readOutboxDepth } from '../outbox/depth-store.ts';
import type { SigningKeys } from '../tokens/signing-keys.ts';
import { describeError } from './log.ts';
import { type Gauge, gauge } from './prometheus.ts';

/** How long what was looked up is told again, so that many readers cost the database no more than one: milliseconds. */
const kept = 5000;

interface Needs extends Pick<Deps, 'config' | 'db' | 'log' | 'now'> {
  readonly signingKeys: SigningKeys;
}

/** What is not counted but looked up: once, whoever asks, since it is the same for all processes. */
export function createGauges({ config, db, log, now, signingKeys }: Needs): () => Promise<readonly Gauge[]> {
  let known: readonly Gauge[] | undefined;
  let knownSince = Number.NEGATIVE_INFINITY;

  const expected = [
    { kind: 'email', sink: '' },
    { kind: 'task', sink: '' },
    ...config.eventSinks.map(({ name }) => ({ kind: 'event', sink: name })),
  ];

  async function outbox(): Promise<Gauge[]> {
    const depths = await readOutboxDepth(db);
    // Also of a queue that has none: what appears for the first time was not less before.
    const queues = new Map([...expected, ...depths].map(({ kind, sink }) => [`${kind} ${sink}`, { kind, sink }]));
    return [...queues.values()].flatMap((queue) => {
      const rows = depths.filter(({ kind, sink }) => kind === queue.kind && sink === queue.sink);
      const waiting = rows.find((depth) => !depth.dead);
      const dead = rows.find((depth) => depth.dead);
      const age = waiting === undefined ? 0 : Math.max(0, now() - waiting.oldest) / 1000;
      return [
        gauge('edge_auth_outbox_waiting', queue, waiting?.rows ?? 0),
        gauge('edge_auth_outbox_oldest_age_seconds', queue, age),
        gauge('edge_auth_outbox_dead', queue, dead?.rows ?? 0),
      ];
    });
  }

  async function keys(): Promise<Gauge[]> {
    const states = await signingKeys.states();
    const counts = Map.groupBy(states, ({ state }) => state);
    const signing = states.findLast(({ state }) => state === 'signing')?.signsFrom;
    const next = states.find(({ state }) => state === 'published-next')?.signsFrom;
    const byState = [...counts].map(([state, of]) => gauge('edge_auth_signing_keys', { state }, of.length));
    if (signing === undefined) return byState;
    const rotation = next ?? signing + config.signingKeyTerm * 1000;
    return [
      ...byState,
      gauge('edge_auth_signing_key_age_seconds', {}, (now() - signing) / 1000),
      gauge('edge_auth_signing_key_next_rotation_seconds', {}, (rotation - now()) / 1000),
    ];
  }

  return async () => {
    // Also while it is looked up: requests on Workers must not wait for each other. Who asks before anything is known
    // looks it up too: gauges that are missing look like a service that is gone.
    if (known !== undefined && now() - knownSince < kept) return known;
    knownSince = now();
    const found = await Promise.all([outbox(), keys()]).catch((error: unknown) => {
      log.warn('gauges_not_read', describeError(error));
      return undefined;
    });
    const up = gauge('edge_auth_dependency_up', { dependency: 'database' }, found === undefined ? 0 : 1);
    known = [...(found ?? []).flat(), up];
    return known;
  };
}
