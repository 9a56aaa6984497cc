import * as z from 'zod';
import type { OtlpConfig } from '../config-observability.ts';
import type { Span, TraceExporter } from '../ops/spans.ts';
import { version } from '../version.ts';

/** How long the collector may take for one batch: milliseconds. */
const timeout = 5000;
/** `SpanKind` and `StatusCode` of opentelemetry/proto/trace/v1/trace.proto. */
const kinds = { internal: 1, server: 2, client: 3, producer: 4 } as const;
const failedStatus = 2;
/** `SpanFlags`: the flags of W3C Trace Context, and whether the parent is a span of somebody else. */
const flags = { sampled: 0x01, knowsOfParent: 0x100, isParentRemote: 0x200 } as const;

const answer = z.object({
  partialSuccess: z.object({ rejectedSpans: z.coerce.number().int().min(0).default(0) }).optional(),
});

/** Traces over OTLP/HTTP 1.x with its JSON encoding. Nothing is tried again: what is not taken is dropped and counted. */
export function createOtlpExporter({ endpoint, headers, serviceName }: OtlpConfig): TraceExporter {
  const sent = new Headers(headers);
  sent.set('Content-Type', 'application/json');
  return {
    async export(spans) {
      const response = await fetch(`${endpoint}/v1/traces`, {
        method: 'POST',
        headers: sent,
        body: JSON.stringify(toTraces(serviceName, spans)),
        redirect: 'manual',
        signal: AbortSignal.timeout(timeout),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`The collector answered ${response.status}`);
      const { data } = answer.safeParse(parsed(text));
      return Math.max(0, spans.length - (data?.partialSuccess?.rejectedSpans ?? 0));
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An `ExportTraceServiceRequest`: ids in hexadecimal, numbers of 64 bits as text, enumerations as numbers. */
function toTraces(serviceName: string, spans: readonly Span[]) {
  const resource = { attributes: toAttributes({ 'service.name': serviceName, 'service.version': version }) };
  const scope = { name: 'edge-auth', version };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: spans.map(toSpan) }] }] };
}

function toSpan({ traceId, spanId, parentSpanId, traceState, name, kind, start, end, attributes, failed }: Span) {
  const isRemote = kind === 'server' && parentSpanId !== undefined;
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    ...(traceState === undefined ? {} : { traceState }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: toNanoseconds(start),
    endTimeUnixNano: toNanoseconds(end),
    attributes: toAttributes(attributes),
    status: failed ? { code: failedStatus } : {},
    flags: flags.sampled | flags.knowsOfParent | (isRemote ? flags.isParentRemote : 0),
  };
}

const toNanoseconds = (milliseconds: number) => String(BigInt(Math.round(milliseconds)) * 1_000_000n);

const toAttributes = (attributes: Span['attributes']) =>
  Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { intValue: value },
  }));
