import type { Deps } from '../deps.ts';
import { describeError, type LogFields } from './log.ts';

/** One step of a trace, which is over. Its attributes are named by OpenTelemetry's conventions, and hold nothing personal. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly traceState: string | undefined;
  readonly name: string;
  readonly kind: 'server' | 'client' | 'producer' | 'internal';
  /** Both in milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly failed: boolean;
}

/** The port to a collector of traces. */
export interface TraceExporter {
  /** @returns how many were taken; rejects where nobody knows of any */
  export(spans: readonly Span[]): Promise<number>;
}

/** Spans that wait, and how many go at once. */
const max = 2048;
const batch = 512;

export interface SpanQueue {
  add(span: Span): void;
  /** Whether so many wait that they should be handed on now; says so to one who asks, who then has to do it. */
  readonly claim: () => boolean;
  /** Hands on what waits; what is not taken is dropped. Does not reject. */
  flush(): Promise<void>;
}

/** A batch that is on its way for longer was cut off by the runtime: milliseconds. Longer than an exporter waits. */
const longestExport = 30_000;

interface Needs extends Pick<Deps, 'log' | 'now'> {
  readonly exporter: TraceExporter;
  /** Told how many spans were exported, and how many dropped. */
  readonly count: (result: 'exported' | 'dropped', spans: number) => void;
}

/** What waits and what is on its way are bounded together. Says in the log when the collector goes away and comes back. */
export function createSpanQueue({ exporter, count, log, now }: Needs): SpanQueue {
  const waiting: Span[] = [];
  /** How many, and until when that counts: on Workers a request may be cut off in the middle of it. */
  const underWay = new Set<{ readonly spans: number; readonly until: number }>();
  let isClaimed = false;
  let isDown = false;

  function isFull(): boolean {
    if (waiting.length >= max) return true;
    let spans = waiting.length;
    for (const each of underWay) {
      if (each.until <= now()) underWay.delete(each);
      else spans += each.spans;
    }
    return spans >= max;
  }

  function found(down: boolean, reason: LogFields): void {
    if (down !== isDown) log.warn('trace_exporter', { state: down ? 'down' : 'up', ...reason });
    isDown = down;
  }

  /** @returns whether the collector is there */
  async function send(spans: readonly Span[]): Promise<boolean> {
    if (spans.length === 0) return false;
    const one = { spans: spans.length, until: now() + longestExport };
    underWay.add(one);
    try {
      const taken = await exporter.export(spans);
      count('exported', taken);
      if (taken < spans.length) count('dropped', spans.length - taken);
      found(false, {});
      return true;
    } catch (error) {
      count('dropped', spans.length);
      found(true, describeError(error));
      return false;
    } finally {
      underWay.delete(one);
    }
  }

  return {
    add(span) {
      if (isFull()) count('dropped', 1);
      else waiting.push(span);
    },
    claim() {
      if (isClaimed || waiting.length < batch) return false;
      isClaimed = true;
      return true;
    },
    async flush() {
      isClaimed = false;
      // What is added meanwhile is left to the next time, and where the collector is away the rest too.
      for (let left = waiting.length; left > 0; left -= batch) {
        if (!(await send(waiting.splice(0, Math.min(left, batch))))) return;
      }
    },
  };
}
