import type { Deps } from '../deps.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { type Observation, observed, type Recorder, startObservation } from './observation.ts';
import { observedDeps } from './observed-deps.ts';
import { createSpanQueue, type Span } from './spans.ts';
import { isAmong, randomId, type TraceParent } from './trace-context.ts';

/** Where a trace comes from. */
export interface Incoming {
  readonly parent: TraceParent | undefined;
  readonly traceState: string | undefined;
}

/** What a request or a scheduled run turned out to be, once it is over. */
type Outcome = Pick<Span, 'name' | 'kind' | 'attributes' | 'failed'>;

/** The result of some work, and what its trace shows of it, asked for only where it is recorded. */
interface Traced<Result> {
  readonly result: Result;
  readonly outcome: () => Outcome;
}

export interface Observer {
  /** The dependencies of the application, measured and traced. */
  readonly deps: Deps;
  readonly metrics: Metrics;
  /** Does work as a trace of its own, or as a part of the one it comes from. */
  trace<Result>(incoming: Incoming, work: (here: Observation) => Promise<Traced<Result>>): Promise<Result>;
  /** Whether so many spans wait that whoever asks should flush before the interval is over. */
  readonly claimFlush: () => boolean;
  /** Hands on what was counted and traced until now. Does not reject. */
  flush(): Promise<void>;
  /** The same when an interval is over, once for all who ask meanwhile. */
  flushSoon(): Promise<void>;
}

/** Nobody asked: a trace begins. */
export const ownTrace: Incoming = { parent: undefined, traceState: undefined };

export function createObserver(given: Deps): Observer {
  const { config, log, now, traceExporter } = given;
  // Not through what is measured: adding what was counted must not be counted.
  const metrics = createMetrics(given);
  const spans =
    traceExporter === undefined
      ? undefined
      : createSpanQueue({
          exporter: traceExporter,
          count: (result, amount) => metrics.count('edge_auth_trace_spans_total', { result }, amount),
          log,
          now,
        });
  const recorder: Recorder = { metrics, now, record: (span) => spans?.add(span) };
  let flushesBefore = Number.NEGATIVE_INFINITY;

  async function flush(): Promise<void> {
    // A collector that hangs must not keep the numbers back.
    await Promise.all([spans?.flush(), metrics.flush()]);
  }

  return {
    deps: observedDeps(given),
    metrics,
    async trace({ parent, traceState }, work) {
      const traceId = parent?.traceId ?? randomId(16);
      const isWanted = parent?.sampled ?? isAmong(traceId, config.observability.traceRatio);
      const sampled = spans === undefined ? (parent?.sampled ?? false) : isWanted;
      const here = startObservation(recorder, { traceId, traceState, sampled }, config.observability.serverTiming);
      const start = now();
      const { result, outcome } = await observed(here, () => work(here));
      if (!here.sampled) return result;
      const times = { start, end: now() };
      recorder.record({
        ...outcome(),
        traceId,
        traceState,
        spanId: here.spanId,
        parentSpanId: parent?.parentId,
        ...times,
      });
      return result;
    },
    claimFlush: () => spans?.claim() ?? false,
    flush,
    async flushSoon() {
      const interval = config.observability.interval * 1000;
      // A time and not a promise: on Workers nobody may wait for another's request, which may be cut off.
      if (now() < flushesBefore) return;
      flushesBefore = now() + interval;
      await new Promise((resolve) => setTimeout(resolve, interval));
      await flush();
    },
  };
}
