// On Node only: OpenTelemetry's own encoder, which ours is compared with, is made for it.
import { globSync, readFileSync } from 'node:fs';
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import * as stable from '@opentelemetry/semantic-conventions';
import * as incubating from '@opentelemetry/semantic-conventions/incubating';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Span } from '../../src/ops/spans.ts';
import { createOtlpExporter } from '../../src/platform/otlp.ts';
import { version } from '../../src/version.ts';

type Sdk = Parameters<typeof JsonTraceSerializer.serializeRequest>[0][number];

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spans: readonly Span[] = [
  {
    traceId,
    spanId: 'b7ad6b7169203331',
    parentSpanId: '00f067aa0ba902b7',
    traceState: 'congo=t61rcWkgMzE,rojo=1',
    name: 'POST /auth/login',
    kind: 'server',
    start: 1_790_000_000_123,
    end: 1_790_000_000_456,
    attributes: { 'http.route': '/auth/login', 'http.response.status_code': 503 },
    failed: true,
  },
  {
    traceId,
    spanId: 'c7ad6b7169203331',
    parentSpanId: undefined,
    traceState: undefined,
    name: 'SELECT users "é\n',
    kind: 'client',
    start: 0,
    end: 1,
    attributes: {},
    failed: false,
  },
];

/** The same span as the SDK of OpenTelemetry has it. */
function toSdk({ start, end, attributes, parentSpanId, traceState, ...span }: Span): Sdk {
  const kinds = {
    server: SpanKind.SERVER,
    client: SpanKind.CLIENT,
    producer: SpanKind.PRODUCER,
    internal: SpanKind.INTERNAL,
  };
  const hrTime = (milliseconds: number): [number, number] => [
    Math.floor(milliseconds / 1000),
    (milliseconds % 1000) * 1e6,
  ];
  const context = { traceId: span.traceId, traceFlags: TraceFlags.SAMPLED };
  const state = { get: () => undefined, set: () => state, unset: () => state, serialize: () => traceState ?? '' };
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => ({
      ...context,
      spanId: span.spanId,
      ...(traceState === undefined ? {} : { traceState: state }),
    }),
    ...(parentSpanId === undefined
      ? {}
      : { parentSpanContext: { ...context, spanId: parentSpanId, isRemote: span.kind === 'server' } }),
    startTime: hrTime(start),
    endTime: hrTime(end),
    duration: hrTime(end - start),
    status: { code: span.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: 'edge-auth', version },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

const resource: Sdk['resource'] = {
  attributes: { 'service.name': 'edge-auth', 'service.version': version },
  merge: () => resource,
  getRawAttributes: () => [],
};

/** What protobuf takes for the same: fields that hold their default may be left out. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== 'object' || value === null) return value;
  const isDefault = (each: unknown) => each === 0 || each === '' || (Array.isArray(each) && each.length === 0);
  const kept = Object.entries(value).filter(([, each]) => !isDefault(each));
  return Object.fromEntries(kept.map(([name, each]) => [name, withoutDefaults(each)]));
}

describe('the JSON of a trace', () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is the one that OpenTelemetry's own encoder makes", async () => {
    const sent: unknown[] = [];
    const take = async (_: string, { body }: { body: string }) => {
      sent.push(JSON.parse(body));
      return new Response('{}');
    };
    vi.stubGlobal('fetch', take);
    await createOtlpExporter({ endpoint: 'http://x', headers: {}, serviceName: 'edge-auth' }).export(spans);
    const theirs: unknown = JSON.parse(
      new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans.map(toSdk))),
    );
    expect(sent.map(withoutDefaults)).toEqual([withoutDefaults(theirs)]);
  });

  it('uses the names of the semantic conventions', () => {
    const known = new Set<unknown>();
    for (const names of [stable, incubating]) for (const name of Object.values<unknown>(names)) known.add(name);
    const sources = globSync('src/{db,http,ops,platform}/*.ts').map((file) => readFileSync(file, 'utf8'));
    const used = new Set(sources.join().match(/(?<=')(?:db|error|http|messaging|service|url)\.[a-z_.]+(?=')/g));
    expect(used.size).toBeGreaterThan(12);
    expect([...used].filter((name) => !known.has(name))).toEqual([]);
  });
});
