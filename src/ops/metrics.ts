import type { Deps } from '../deps.ts';
import { type AddOperation, KeyValueUnavailable } from '../kv.ts';
import { describeError } from './log.ts';
import { counterField, histogramField } from './metric-fields.ts';
import { buckets, type CounterName, type HistogramName, type LabelsOf } from './metric-table.ts';

const key = 'metrics';
/** How long the store remembers what it has added: seconds. Longer than it is away in ordinary operation. */
const memory = 600;
/** After so long without a count all begin at 0 again: seconds. */
const ttl = 30 * 86_400;
/** How many additions may be in doubt at a time. What is counted meanwhile waits in one place and cannot grow. */
const maxInDoubt = 4;
/** Numbers that are kept at most: labels are few, and this holds where that is a mistake. */
const maxFields = 20_000;

type Needs = Pick<Deps, 'kv' | 'log' | 'newId' | 'now'>;

/** What one process or isolate counts, and adds to the sums of all in the key-value store. */
export interface Metrics {
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, amount?: number): void;
  /** @param milliseconds how long it took; kept in microseconds */
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, milliseconds: number): void;
  /** Adds what was counted since to the sums, in one round trip. What fails is added with the next; does not reject. */
  flush(): Promise<void>;
  /** The sums of all processes, this one's up to now among them. @throws {KeyValueUnavailable} */
  read(): Promise<ReadonlyMap<string, number>>;
}

/**
 * Nothing is counted twice: each addition has an id, under which the store takes it once, however often it is sent.
 * (Twice it would count only where its answer was lost and the store then stayed away for longer than it remembers.)
 * Nothing is lost but what a process that dies has not added yet.
 */
export function createMetrics({ kv, log, newId, now }: Needs): Metrics {
  let counted = new Map<string, number>();
  /** Sent, but nobody knows whether they were added. */
  const inDoubt = new Map<string, ReadonlyMap<string, number>>();

  function add(field: string, amount: number): void {
    const before = counted.get(field);
    if (before !== undefined || counted.size < maxFields) counted.set(field, (before ?? 0) + amount);
  }

  function additions(): AddOperation[] {
    if (counted.size > 0 && inDoubt.size < maxInDoubt) {
      inDoubt.set(newId(), counted);
      counted = new Map();
    }
    return [...inDoubt].map(([id, amounts]) => ({ type: 'add', key, id, memory, ttl, now: now(), amounts }));
  }

  async function flush(): Promise<void> {
    const operations = additions();
    if (operations.length === 0) return;
    try {
      await kv.run(operations);
      for (const { id } of operations) inDoubt.delete(id);
    } catch (error) {
      // That the store is away is told by others.
      if (!(error instanceof KeyValueUnavailable)) log.error('metrics_not_added', describeError(error));
    }
  }

  return {
    count: (name, labels, amount = 1) => add(counterField(name, labels), amount),
    observe(name, labels, milliseconds) {
      const bound = buckets.find((each) => milliseconds <= each * 1000) ?? Number.POSITIVE_INFINITY;
      add(histogramField(name, labels, String(bound)), 1);
      add(histogramField(name, labels, 'sum'), Math.max(0, Math.round(milliseconds * 1000)));
    },
    flush,
    async read() {
      await flush();
      const [sums] = await kv.run([{ type: 'sums', key }]);
      return sums;
    },
  };
}
