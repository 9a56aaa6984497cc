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
const most = 2048;
const batch = 512;

export interface SpanQueue {
  add(span: Span): void;
  /** Whether so many wait that they should be handed on now; says so to one who asks, who then has to do it. */
  readonly claim: () => boolean;
  /** Hands on what waits; what is not taken is dropped. Does not reject. */
  flush(): Promise<void>;
}

/** @param count told how many spans were exported, and how many dropped */
export function createSpanQueue(
  exporter: TraceExporter,
  count: (result: 'exported' | 'dropped', spans: number) => void,
): SpanQueue {
  const waiting: Span[] = [];
  let isClaimed = false;

  /** @returns whether the collector is there */
  async function send(spans: readonly Span[]): Promise<boolean> {
    if (spans.length === 0) return false;
    try {
      const taken = await exporter.export(spans);
      count('exported', taken);
      if (taken < spans.length) count('dropped', spans.length - taken);
      return true;
    } catch {
      count('dropped', spans.length);
      return false;
    }
  }

  return {
    add(span) {
      if (waiting.length < most) waiting.push(span);
      else count('dropped', 1);
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
