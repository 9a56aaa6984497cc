import type { Variables } from './config-variables.ts';

/** A collector that takes OTLP over HTTP. */
export interface OtlpConfig {
  /** Without a slash at its end and without `/v1/traces`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
}

export interface ObservabilityConfig {
  /** Any of them lets metrics be read. */
  readonly metricsTokens: readonly string[];
  /** Seconds between two additions to the sums of all processes, and between two batches of spans. */
  readonly interval: number;
  readonly serverTiming: boolean;
  /** Where traces go; undefined where they go nowhere. */
  readonly otlp: OtlpConfig | undefined;
  /** The share of new traces that is recorded: 0 to 1. */
  readonly traceRatio: number;
}

export function toObservability(v: Variables): ObservabilityConfig {
  const endpoint = v.OTEL_EXPORTER_OTLP_ENDPOINT;
  const rest = { headers: v.OTEL_EXPORTER_OTLP_HEADERS, serviceName: v.OTEL_SERVICE_NAME };
  return {
    metricsTokens: v.METRICS_TOKEN,
    interval: v.METRICS_INTERVAL,
    serverTiming: v.SERVER_TIMING,
    otlp: endpoint === undefined ? undefined : { endpoint, ...rest },
    traceRatio: v.OTEL_TRACES_SAMPLER_ARG,
  };
}
