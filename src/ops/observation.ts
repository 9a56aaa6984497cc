import { AsyncLocalStorage } from 'node:async_hooks';
import type { CounterName, dependencies, LabelsOf } from './metric-table.ts';
import type { Metrics } from './metrics.ts';
import type { Span } from './spans.ts';
import { formatTraceParent, randomId } from './trace-context.ts';

/** What is measured besides: the time of a password hash. */
type Measured = (typeof dependencies)[number] | 'hash' | 'verify';

/** What every request counts and records with. Made once, before any request. */
export interface Recorder {
  readonly metrics: Metrics;
  readonly now: () => number;
  /** Takes a step that is over, of a trace that is sampled. */
  readonly record: (span: Span) => void;
}

/**
 * Where something is done: within which request or scheduled run, and in which step of its trace. Carried along by the
 * runtime, so that what is deep down can be counted and traced without being told. Each request has one of its own,
 * however many share an isolate.
 *
 * It holds plain data and the recorder. On Workers it must not reach the request, not even through the scope that a
 * closure shares with another one: workerd keeps this value by a strong handle on behalf of the request, so the two
 * would keep each other in memory for ever, through native memory that no collector sees. `startObservation` makes it
 * where no request is in scope.
 */
export interface Observation {
  readonly recorder: Recorder;
  readonly traceId: string;
  readonly traceState: string | undefined;
  /** The step it is in. */
  readonly spanId: string;
  readonly sampled: boolean;
  /** Adds up how long the steps of this request took, where its answer tells: milliseconds. */
  readonly timings: Map<Measured, number> | undefined;
}

/** A step as its trace shows it. */
export interface Step {
  readonly name: string;
  readonly kind: Span['kind'];
  readonly attributes: Span['attributes'];
}

const storage = new AsyncLocalStorage<Observation>();

/** What an observation begins with: text and flags alone. */
type Beginning = Pick<Observation, 'traceId' | 'traceState' | 'sampled'>;

/** @param isTimed whether it adds up how long its steps took */
export function startObservation(
  recorder: Recorder,
  { traceId, traceState, sampled }: Beginning,
  isTimed: boolean,
): Observation {
  const timings: Observation['timings'] = isTimed ? new Map() : undefined;
  return { recorder, traceId, traceState, spanId: randomId(8), sampled, timings };
}

/** Does work as part of what is observed. */
export const observed = <Result>(observation: Observation, work: () => Result): Result =>
  storage.run(observation, work);

/** The trace that is going on, for the log; undefined outside of a request or a scheduled run. */
export const currentTraceId = (): string | undefined => storage.getStore()?.traceId;

/** The headers that a request of ours to a service of the same operator carries, so that the trace goes on there. */
export function traceHeaders(): Readonly<Record<string, string>> {
  const here = storage.getStore();
  if (here === undefined) return {};
  const { spanId: parentId, traceState } = here;
  return {
    traceparent: formatTraceParent({ ...here, parentId }),
    ...(traceState === undefined ? {} : { tracestate: traceState }),
  };
}

/** Counts within a request or a scheduled run. */
export function count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>): void {
  storage.getStore()?.recorder.metrics.count(name, labels);
}

/** How a step failed, as its trace shows it: a code, never a message. */
export interface Failure {
  /** The dependency did not do its part, and it is not just what it had to say. */
  readonly isOutage: boolean;
  readonly code: string;
}

/**
 * Does work as one step of what is observed: measures it, and makes a span of it where the trace is sampled.
 * @param step asked for only where it is shown
 */
export async function measured<Result>(
  what: Measured,
  step: () => Step,
  work: () => Promise<Result>,
  explain: (error: unknown) => Failure,
): Promise<Result> {
  const here = storage.getStore();
  if (here === undefined) return await work();
  const { metrics, now, record } = here.recorder;
  const start = now();
  const spanId = here.sampled ? randomId(8) : here.spanId;
  const end = (failure: Failure | undefined) => {
    const end = now();
    here.timings?.set(what, (here.timings.get(what) ?? 0) + end - start);
    if (what !== 'hash' && what !== 'verify') {
      const result = failure?.isOutage === true ? 'error' : 'ok';
      metrics.observe('edge_auth_dependency_duration_seconds', { dependency: what, result }, end - start);
    } else if (failure === undefined) {
      metrics.observe('edge_auth_password_hash_duration_seconds', { operation: what }, end - start);
    }
    if (!here.sampled) return;
    const { traceId, traceState, spanId: parentSpanId } = here;
    const { attributes, ...shown } = step();
    const all = failure === undefined ? attributes : { ...attributes, 'error.type': failure.code };
    const failed = failure !== undefined;
    record({ ...shown, traceId, traceState, spanId, parentSpanId, start, end, attributes: all, failed });
  };
  try {
    const result = await (here.sampled ? storage.run({ ...here, spanId }, work) : work());
    end(undefined);
    return result;
  } catch (error) {
    end(explain(error));
    throw error;
  }
}
