import { describe, expect, it } from 'vitest';
import { traceHeaders } from '../../src/ops/observation.ts';
import type { Span, TraceExporter } from '../../src/ops/spans.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { collectingSink, webhooks } from '../support/events.ts';
import { scrape, withMetrics } from '../support/prometheus.ts';
import { password, registerUser, type TestApp, type TestAppOptions, testApp } from '../support/test-app.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = 'b7ad6b7169203331';
const traceparent = `00-${traceId}-${parentId}-01`;

/** For requests that need none: a database of one's own takes a while. */
const withoutDatabase = { databaseUrl: 'postgres://nobody@127.0.0.1:9/none' };

/** An application whose spans are there once they were handed on, and whose store is one that is asked over a wire. */
async function tracedApp(options: TestAppOptions = {}) {
  const spans: Span[] = [];
  const traceExporter: TraceExporter = {
    export: async (batch) => {
      spans.push(...batch);
      return batch.length;
    },
  };
  const kv = { ...createMemoryKeyValue({ now: Date.now }), kind: 'redis' } as const;
  const app = await testApp({ kv, traceExporter, ...options });
  const collected = async () => {
    await app.app.flush();
    return spans.splice(0);
  };
  return { ...app, collected };
}

describe('a trace', () => {
  it('is one span for the request, with one below it for each thing it waited for', async () => {
    const app = await tracedApp();
    await registerUser(app);
    const spans = await app.collected();
    const root = spans.find(({ kind }) => kind === 'server');
    expect(root).toMatchObject({ name: 'POST /auth/register', parentSpanId: undefined, failed: false });
    expect(root?.attributes).toEqual({
      'http.request.method': 'POST',
      'http.response.status_code': 201,
      'http.route': '/auth/register',
      'url.scheme': 'https',
    });
    const below = spans.filter((span) => span !== root);
    expect(below.every((span) => span.parentSpanId === root?.spanId && span.traceId === root?.traceId)).toBe(true);
    expect(below.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['PIPELINE', 'hash password', 'send mail', expect.stringMatching(/INSERT users/)]),
    );
    expect(below.find(({ name }) => name === 'PIPELINE')?.attributes).toMatchObject({
      'db.system.name': 'redis',
      'db.operation.batch.size': 4,
      'db.query.summary': 'get attempt limit limit',
    });
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  });

  it('goes on where the caller began it, and is passed on with its state', async () => {
    const passedOn: unknown[] = [];
    const send = async () => void passedOn.push(traceHeaders());
    const app = await tracedApp({ mailer: { kind: 'mailbox', send, close: async () => undefined } });
    const body = { email: 'ann@example.com', password };
    const headers = { traceparent, tracestate: 'congo=t61rcWkgMzE , rojo@a=00f067aa0ba902b7' };
    await app.request('POST', '/auth/register', { body, headers });
    const spans = await app.collected();
    const state = 'congo=t61rcWkgMzE,rojo@a=00f067aa0ba902b7';
    expect(spans.every((span) => span.traceId === traceId && span.traceState === state)).toBe(true);
    expect(spans.find(({ kind }) => kind === 'server')?.parentSpanId).toBe(parentId);
    const mail = spans.find(({ name }) => name === 'send mail');
    expect(passedOn).toEqual([{ traceparent: `00-${traceId}-${mail?.spanId}-01`, tracestate: state }]);
  });

  it('begins anew with a parent that is none, and takes no state over', async () => {
    const app = await tracedApp(withoutDatabase);
    const wrong: readonly (readonly [why: string, header: string | undefined])[] = [
      ['none', undefined],
      ['another version that says nothing', `ff-${traceId}-${parentId}-01`],
      ['capital letters', traceparent.toUpperCase()],
      ['a trace id of zeros', `00-${'0'.repeat(32)}-${parentId}-01`],
      ['a parent id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
      ['an id that is too short', `00-${traceId.slice(1)}-${parentId}-01`],
      ['more than version 00 has', `${traceparent}-more`],
      ['two of them', `${traceparent}, ${traceparent}`],
      ['something else after it', `${traceparent} x`],
      ['what would be a label', `00-${'"}'.repeat(16)}-${parentId}-01`],
    ];
    for (const [why, header] of wrong) {
      const headers = { tracestate: 'congo=1', ...(header === undefined ? {} : { traceparent: header }) };
      const { headers: answered } = await app.request('GET', '/health', { headers });
      const [span] = await app.collected();
      expect(span, why).toMatchObject({ parentSpanId: undefined, traceState: undefined });
      expect(span?.traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(span?.traceId).not.toBe(traceId);
      expect([...answered.keys()].filter((name) => /trace/.test(name))).toEqual([]);
    }
  });

  it('reads what a later version says as far as it is known, and drops a state that is not valid', async () => {
    const app = await tracedApp(withoutDatabase);
    const tooMany = Array.from({ length: 33 }, (_, index) => `k${index}=1`).join();
    for (const tracestate of ['a=1,a=2', 'A=1', 'a', 'a=b=c', `a=${'x'.repeat(257)}`, tooMany, ',']) {
      await app.request('GET', '/health', {
        headers: { traceparent: `cc-${traceId}-${parentId}-01-what`, tracestate },
      });
      expect(await app.collected()).toMatchObject([{ traceId, parentSpanId: parentId, traceState: undefined }]);
    }
  });

  it('is recorded where its caller says so, and of new ones the share that is asked for', async () => {
    const send = (app: Awaited<ReturnType<typeof tracedApp>>, flags?: string) =>
      app.request('GET', '/health', {
        headers: flags === undefined ? {} : { traceparent: `00-${traceId}-${parentId}-${flags}` },
      });
    const none = await tracedApp({ ...withoutDatabase, variables: { OTEL_TRACES_SAMPLER_ARG: '0' } });
    for (const flags of [undefined, '00', '02']) await send(none, flags);
    expect(await none.collected()).toEqual([]);
    for (const flags of ['01', '03', 'ff']) await send(none, flags);
    expect(await none.collected()).toHaveLength(3);
    const half = await tracedApp({ ...withoutDatabase, variables: { OTEL_TRACES_SAMPLER_ARG: '0.5' } });
    for (let index = 0; index < 60; index += 1) await send(half);
    const share = (await half.collected()).length;
    expect(share > 5 && share < 55).toBe(true);
  });

  it('is named in each line of the log that belongs to it, recorded or not', async () => {
    const app = await testApp(withoutDatabase);
    await app.request('GET', '/health', { headers: { traceparent: `00-${traceId}-${parentId}-00` } });
    await app.request('GET', '/health');
    const traces = app.logLines.map((line): unknown => JSON.parse(line).trace_id);
    expect(traces).toEqual([traceId, expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  it('holds its own spans alone, however many requests are under way', async () => {
    const app = await tracedApp();
    const ids = Array.from({ length: 12 }, (_, index) => `${index + 1}`.padStart(32, '0'));
    await Promise.all(
      ids.map((id) =>
        app.request('POST', '/auth/register', {
          body: { email: `user-${id}@example.com`, password },
          headers: { traceparent: `00-${id}-${parentId}-01` },
        }),
      ),
    );
    const traces = Map.groupBy(await app.collected(), (span) => span.traceId);
    expect([...traces.keys()].toSorted()).toEqual(ids.toSorted());
    for (const spans of traces.values()) {
      const roots = spans.filter(({ kind }) => kind === 'server');
      expect(roots).toHaveLength(1);
      expect(spans.filter(({ name }) => name === 'PIPELINE')).toHaveLength(1);
      expect(spans.every((span) => span === roots[0] || span.parentSpanId === roots[0]?.spanId)).toBe(true);
    }
  });

  it('holds nothing personal: neither what was sent nor parameters, addresses or ids of people', async () => {
    const app = await tracedApp();
    const email = 'canary@example.com';
    const user = await registerUser(app, { email, username: 'canary', name: 'Canary', surname: 'Canary' });
    const sent = { token: user.access, headers: { 'User-Agent': 'canary' }, address: '203.0.113.77' };
    await app.request('POST', '/auth/login', { ...sent, body: { identifier: email, password: 'canary' } });
    await app.request('DELETE', `/users/sessions/${user.id}`, sent);
    await app.request('GET', '/users/activity?limit=canary', sent);
    await app.request('GET', '/canary', sent);
    await app.request('POST', '/auth/register', { body: { email, password } });
    const spans = await app.collected();
    const shown = JSON.stringify(spans);
    expect(spans.length).toBeGreaterThan(10);
    for (const secret of [/canary/i, user.id, user.access, password, '203.0.113', '$argon2']) {
      expect(shown).not.toMatch(secret);
    }
  });

  it('tells what failed by its code', async () => {
    const app = await tracedApp({
      mailer: {
        kind: 'smtp',
        close: async () => undefined,
        send: async () => Promise.reject(new TypeError('canary')),
      },
    });
    await registerUser(app, { username: 'taken' });
    const spans = await app.collected();
    const mail = spans.find(({ name }) => name === 'send mail');
    expect(mail).toMatchObject({ failed: true, attributes: { 'error.type': 'TypeError' } });
    expect(JSON.stringify(spans)).not.toContain('canary');
  });

  it('shows a delivery to a sink as a message that was sent', async () => {
    const sink = collectingSink('crm');
    const app = await tracedApp({ variables: { ...withMetrics, ...webhooks('crm') }, sinks: [sink] });
    await registerUser(app);
    const spans = await app.collected();
    const published = spans.filter(({ kind }) => kind === 'producer');
    expect(published.map(({ name, attributes }) => [name, attributes['messaging.message.id']])).toEqual(
      sink.taken.map(({ id }) => ['publish webhook:crm', id]),
    );
    expect(published).toHaveLength(2);
    const { value } = await scrape(app);
    expect(value('edge_auth_dependency_duration_seconds_count', { dependency: 'event_sink', result: 'ok' })).toBe(2);
    expect(value('edge_auth_event_deliveries_total', { sink: 'webhook:crm', result: 'taken' })).toBe(2);
    sink.isDown = true;
    await registerUser(app);
    const down = await scrape(app);
    expect(down.value('edge_auth_event_deliveries_total', { sink: 'webhook:crm', result: 'failed' })).toBe(1);
  });

  it('shows that breached passwords could not be looked for, and nothing of the password', async () => {
    const app = await tracedApp({
      variables: { ...withMetrics, BREACHED_PASSWORD_CHECK: 'true', BREACHED_PASSWORD_URL: 'http://127.0.0.1:9' },
    });
    await registerUser(app);
    const spans = await app.collected();
    const asked = spans.filter(({ name }) => name === 'check for breached password');
    expect(asked).toMatchObject([{ kind: 'client', failed: true, attributes: { 'error.type': expect.any(String) } }]);
    const { value } = await scrape(app);
    const labels = { dependency: 'breached_passwords', result: 'error' };
    expect(value('edge_auth_dependency_duration_seconds_count', labels)).toBe(1);
  });

  it('of the scheduled work is one of its own', async () => {
    const app = await tracedApp();
    await app.app.runScheduled();
    const spans = await app.collected();
    const root = spans.find(({ name }) => name === 'scheduled');
    expect(root?.parentSpanId).toBeUndefined();
    expect(spans.filter((span) => span.parentSpanId === root?.spanId).length).toBeGreaterThan(3);
  });
});

describe('what is delivered before a process ends', () => {
  it('is counted and traced as all else is', async () => {
    const sink = collectingSink('crm');
    sink.isDown = true;
    const app = await tracedApp({ variables: { ...withMetrics, ...webhooks('crm') }, sinks: [sink] });
    await registerUser(app);
    await app.collected();
    sink.isDown = false;
    app.clock.advance(31);
    await app.app.deliverDue();
    const spans = await app.collected();
    const root = spans.find(({ name }) => name === 'deliver what is due');
    const published = spans.filter(({ kind }) => kind === 'producer');
    expect(published.map(({ parentSpanId }) => parentSpanId)).toEqual([root?.spanId, root?.spanId]);
    const { value } = await scrape(app);
    expect(value('edge_auth_event_deliveries_total', { sink: 'webhook:crm', result: 'taken' })).toBe(2);
  });
});

describe('a collector that is away', () => {
  /** A request whose work after the answer is not waited for. */
  async function ask({ app }: TestApp, after: Promise<unknown>[] = []): Promise<void> {
    const context = {
      waitUntil: (promise: Promise<unknown>) => void after.push(promise),
      passThroughOnException() {},
      props: {},
    };
    const answer = await app.fetch(new Request('https://auth.test/health'), { clientAddress: undefined }, context);
    await answer.text();
  }

  it('costs requests nothing: what waits is bounded, and what is dropped is counted', async () => {
    let asked = 0;
    const traceExporter: TraceExporter = {
      export: async () => {
        asked += 1;
        throw new Error('away');
      },
    };
    const app = await testApp({ ...withoutDatabase, variables: withMetrics, traceExporter });
    for (let index = 0; index < 100; index += 1) await app.request('GET', '/health');
    expect(asked).toBe(0);
    await app.app.flush();
    await app.app.flush();
    expect(asked).toBe(1);
    const { value } = await scrape(app);
    expect(value('edge_auth_trace_spans_total', { result: 'dropped' })).toBe(100);
    expect(value('edge_auth_trace_spans_total', { result: 'exported' })).toBe(0);
  });

  it('and one that never answers holds up no answer, and takes no memory without end', async () => {
    const given: number[] = [];
    const traceExporter: TraceExporter = {
      export: (spans) => {
        given.push(spans.length);
        return new Promise(() => undefined);
      },
    };
    const app = await testApp({ ...withoutDatabase, variables: withMetrics, traceExporter });
    const waiting: Promise<unknown>[] = [];
    // Each batch that is full goes out after an answer, which does not wait for it.
    for (let index = 0; index < 1100; index += 1) await ask(app, waiting);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(given[0]).toBe(512);
    expect(given.length).toBeLessThan(20);
    expect(waiting.length).toBeLessThan(5);
  });

  it('and hangs has no more than 2,048 spans held for it, those on their way among them', async () => {
    let given = 0;
    const traceExporter: TraceExporter = {
      export: (spans) => {
        given += spans.length;
        return new Promise(() => undefined);
      },
    };
    const app = await testApp({ ...withoutDatabase, variables: withMetrics, traceExporter });
    for (let times = 0; times < 6; times += 1) {
      for (let index = 0; index < 600; index += 1) await ask(app);
      void app.app.flush();
    }
    expect(given).toBeLessThanOrEqual(2048);
    const dropped = async () => (await scrape(app)).value('edge_auth_trace_spans_total', { result: 'dropped' });
    expect(await dropped()).toBe(3600 - 2048);
    // What a runtime cut off is forgotten.
    app.clock.advance(30);
    const before = await dropped();
    await ask(app);
    expect(await dropped()).toBe(before);
  });

  it('is told of once when it goes and once when it is back, without its address', async () => {
    let isAway = true;
    const traceExporter: TraceExporter = {
      export: async (spans) => {
        if (isAway) throw new TypeError('fetch failed: http://collector.canary');
        return spans.length;
      },
    };
    const app = await testApp({ ...withoutDatabase, traceExporter });
    for (const away of [true, true, false, false]) {
      isAway = away;
      await app.request('GET', '/health');
      await app.app.flush();
    }
    const told = app.logLines.filter((line) => line.includes('trace_exporter')).map((line) => JSON.parse(line));
    expect(told.map(({ state }) => state)).toEqual(['down', 'up']);
    expect(app.logLines.join()).not.toContain('canary');
  });
});

describe('Server-Timing', () => {
  const timingOf = async (variables: Readonly<Record<string, string>>) => {
    const app = await tracedApp({ variables });
    const body = { email: 'ann@example.com', password };
    return (await app.request('POST', '/auth/register', { body })).headers.get('Server-Timing');
  };

  it('tells how long the database, the key-value store and hashing took, where that is asked for', async () => {
    const expected = /^total;dur=\d+(, (db|kv|hash);dur=\d+){3}$/;
    expect(await timingOf({ SERVER_TIMING: 'true' })).toMatch(expected);
    // The name that older services have for it.
    expect(await timingOf({ DEBUG: 'True' })).toMatch(expected);
  });

  it('is not there otherwise: how long a hash took is for nobody to see', async () => {
    expect([await timingOf({}), await timingOf({ DEBUG: 'false' })]).toEqual([null, null]);
  });
});
