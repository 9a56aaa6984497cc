import { describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { readConfig } from '../../src/config.ts';
import { createOtlpExporter } from '../../src/platform/otlp.ts';
import { scrape, withMetrics } from '../support/prometheus.ts';
import { testSecret } from '../support/secret.ts';
import { testApp } from '../support/test-app.ts';

const received = z.array(
  z.object({
    contentType: z.string(),
    authorization: z.string(),
    body: z.object({
      resourceSpans: z.array(
        z.object({
          resource: z.object({ attributes: z.array(z.unknown()) }),
          scopeSpans: z.array(z.object({ spans: z.array(z.looseObject({ name: z.string() })) })),
        }),
      ),
    }),
  }),
);

/** An application that sends its traces to a real collector. @param name what the collector knows this test by */
async function exportingApp(name: string) {
  const test = `${name}-${crypto.randomUUID()}`;
  const variables = {
    ...withMetrics,
    OTEL_EXPORTER_OTLP_ENDPOINT: `${inject('otlpCollector')}/`,
    OTEL_EXPORTER_OTLP_HEADERS: `x-test=${test}, authorization=Bearer%20canary%2Ckey`,
    OTEL_SERVICE_NAME: 'auth of the tests',
  };
  const { otlp } = readConfig({
    AUTH_SECRET: testSecret,
    ISSUER: 'https://auth.test',
    DATABASE_URL: 'postgres://nobody@127.0.0.1:9/none',
    ...variables,
  }).observability;
  if (otlp === undefined) throw new Error('Not configured');
  const databaseUrl = 'postgres://nobody@127.0.0.1:9/none';
  const app = await testApp({ databaseUrl, variables, traceExporter: createOtlpExporter(otlp) });
  const at = async () => received.parse(await (await fetch(`${inject('otlpCollector')}/?${test}`)).json());
  return { ...app, received: at };
}

describe('traces over OTLP', () => {
  it('come to the collector in one batch, under the name of the service and with its headers', async () => {
    const app = await exportingApp('takes');
    await app.request('GET', '/health');
    await app.request('GET', '/healthz');
    expect(await app.received()).toEqual([]);
    await app.app.flush();
    const [batch, ...others] = await app.received();
    expect(others).toEqual([]);
    expect(batch).toMatchObject({ contentType: 'application/json', authorization: 'Bearer canary,key' });
    const [resource] = batch?.body.resourceSpans ?? [];
    expect(resource?.resource.attributes).toContainEqual({
      key: 'service.name',
      value: { stringValue: 'auth of the tests' },
    });
    expect(resource?.scopeSpans[0]?.spans.map(({ name }) => name)).toEqual(['GET /health', 'GET /healthz']);
    const { value } = await scrape(app);
    expect(value('edge_auth_trace_spans_total', { result: 'exported' })).toBe(2);
  });

  it.each([
    ['rejects', 1],
    ['fails', 2],
  ])('are counted as dropped where the collector %s them', async (name, dropped) => {
    const app = await exportingApp(name);
    await app.request('GET', '/health');
    await app.request('GET', '/health');
    await app.app.flush();
    await app.app.flush();
    const { value } = await scrape(app);
    expect(value('edge_auth_trace_spans_total', { result: 'dropped' })).toBe(dropped);
    expect(value('edge_auth_trace_spans_total', { result: 'exported' })).toBe(2 - dropped);
    expect(app.logLines.join()).not.toContain('canary');
  });
});
