import { describe, expect, it } from 'vitest';
import { runtime } from '#test-runtime';
import { type KeyValue, KeyValueUnavailable } from '../../src/kv.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { version } from '../../src/version.ts';
import { namespaced } from '../degraded/key-values.ts';
import { metricsToken, scrape, withMetrics } from '../support/prometheus.ts';
import { letPass } from '../support/sessions.ts';
import { createClock, hasSharedKeyValue, password, registerUser, testApp } from '../support/test-app.ts';

const login = (email: string, typed = password) => ({ body: { email, password: typed } });

/** For requests that need none: a database of one's own takes a while. */
const withoutDatabase = { databaseUrl: 'postgres://nobody@127.0.0.1:9/none' };

describe('the metrics', () => {
  it('count requests by method, pattern of the route and status, never by the path', async () => {
    const app = await testApp({ ...withoutDatabase, variables: withMetrics });
    await app.request('GET', '/health');
    await app.request('GET', '/health');
    await app.request('DELETE', '/users/sessions/a-path-that-is-nobodys');
    await app.request('GET', '/no-such-path/canary');
    await app.request('GET', '/auth/verify-token/canary');
    const { text, value } = await scrape(app);
    const requests = 'edge_auth_http_requests_total';
    expect(value(requests, { method: 'GET', route: '/health', status: '200' })).toBe(2);
    expect(value(requests, { method: 'DELETE', route: '/users/sessions/{id}', status: '401' })).toBe(1);
    expect(value(requests, { route: 'unknown', status: '404' })).toBe(1);
    expect(value(requests, { route: '/auth/verify-token' })).toBe(1);
    const labels = { method: 'GET', route: '/health', status_class: '2xx' };
    expect(value('edge_auth_http_request_duration_seconds_count', labels)).toBe(2);
    expect(text).not.toMatch(/canary|nobodys/);
  });

  it('have the same few series whatever methods and paths are sent', async () => {
    const app = await testApp({ ...withoutDatabase, variables: withMetrics });
    const odd = ['PROPFIND', 'REPORT', 'MERGE', ...(runtime.name === 'node' ? ['BREW', 'x'.repeat(500)] : [])];
    for (const method of odd) await app.request(method, `/${crypto.randomUUID()}`);
    for (let index = 0; index < 20; index += 1) {
      await app.request('POST', `/"}\n# HELP ${index}`, {
        headers: { traceparent: `"}${index}`, 'X-Request-Id': '"}' },
      });
    }
    const { labels } = await scrape(app);
    expect(labels('edge_auth_http_requests_total')).toEqual([
      { method: '_OTHER', route: 'unknown', status: '404' },
      { method: 'POST', route: 'unknown', status: '404' },
    ]);
  });

  it('put durations into cumulated buckets, with their sum and count', async () => {
    const clock = createClock();
    const app = await testApp({
      clock,
      variables: withMetrics,
      mailer: {
        kind: 'resend',
        close: async () => undefined,
        send: async () => clock.advance(0.3),
      },
    });
    await registerUser(app);
    const { value } = await scrape(app);
    const mailed = { dependency: 'mailer', result: 'ok' };
    const name = 'edge_auth_dependency_duration_seconds';
    expect([value(`${name}_count`, mailed), value(`${name}_sum`, mailed)]).toEqual([1, 0.3]);
    const bounds = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf'];
    const counts = bounds.map((le) => value(`${name}_bucket`, { ...mailed, le }));
    expect(counts).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
  });

  it('tell how sign-ins end, which tokens are given, what is limited and what is locked', async () => {
    const variables = { ...withMetrics, LOCKOUT_ACCOUNT_ADDRESS: '2/60/60/600', LIMIT_REGISTER_ADDRESS: '2/3600' };
    const app = await testApp({ variables });
    const { email, refresh } = await registerUser(app);
    const before = await scrape(app);
    // From the start, so that the first of them is seen as one more.
    expect(before.value('edge_auth_refresh_reuse_total')).toBe(0);
    expect(before.value('edge_auth_logins_total', { result: 'account_locked' })).toBe(0);
    expect(before.value('edge_auth_scheduled_steps_total', { step: 'relay_events', result: 'ok' })).toBe(0);
    expect(before.value('edge_auth_dependency_duration_seconds_count', { dependency: 'mailer', result: 'error' })).toBe(
      0,
    );

    // Before the clock moves: a window may end.
    await registerUser(app);
    await app.request('POST', '/auth/register', { body: { username: 'somebody', password } });
    const next = await app.request('POST', '/auth/refresh', { body: { refresh_token: refresh } });
    app.clock.advance(60);
    await letPass(app, 60);
    await app.request('POST', '/auth/refresh', { body: { refresh_token: refresh } });
    await app.request('POST', '/auth/login', login(email));
    for (const _ of [1, 2, 3]) await app.request('POST', '/auth/login', login(email, 'not the password'));
    expect(next.status).toBe(200);

    const { value } = await scrape(app);
    expect({
      success: value('edge_auth_logins_total', { result: 'success' }),
      invalid: value('edge_auth_logins_total', { result: 'invalid_credentials' }),
      refusedAsLocked: value('edge_auth_logins_total', { result: 'account_locked' }),
      locks: value('edge_auth_lockouts_total', { lockout: 'lockout_account_address' }),
      reuse: value('edge_auth_refresh_reuse_total'),
      byProof: value('edge_auth_tokens_issued_total', { grant: 'proof' }),
      byRefresh: value('edge_auth_tokens_issued_total', { grant: 'refresh_token' }),
      allowed: value('edge_auth_rate_limit_hits_total', { policy: 'register_address', result: 'allowed' }),
      refused: value('edge_auth_rate_limit_hits_total', { policy: 'register_address', result: 'refused' }),
      failures: value('edge_auth_rate_limit_hits_total', { policy: 'login_failures', result: 'allowed' }),
    }).toEqual({
      ...{ success: 1, invalid: 2, refusedAsLocked: 1, locks: 1, reuse: 1, byProof: 3, byRefresh: 1 },
      ...{ allowed: 2, refused: 1, failures: 2 },
    });
  });

  it('tell of the outbox, the signing keys, the dependencies and the build', async () => {
    const failing = async () => {
      throw new Error('down');
    };
    const mailer = { kind: 'smtp', send: failing, close: async () => undefined } as const;
    const app = await testApp({ variables: withMetrics, mailer });
    await registerUser(app);
    app.clock.advance(90);
    await app.app.runScheduled();
    const { value } = await scrape(app);
    expect(value('edge_auth_outbox_waiting', { kind: 'email', sink: '' })).toBe(1);
    expect(value('edge_auth_outbox_oldest_age_seconds', { kind: 'email', sink: '' })).toBeCloseTo(90, 0);
    expect(value('edge_auth_dependency_duration_seconds_count', { dependency: 'mailer', result: 'error' })).toBe(2);
    expect(value('edge_auth_dependency_duration_seconds_count', { dependency: 'database', result: 'ok' })).toBe(
      app.statements.length - 1,
    );
    expect(value('edge_auth_password_hash_duration_seconds_count', { operation: 'hash' })).toBe(1);
    expect(value('edge_auth_scheduled_steps_total', { step: 'relay_outbox', result: 'ok' })).toBe(1);
    expect(value('edge_auth_signing_keys', { state: 'signing' })).toBe(1);
    expect(value('edge_auth_signing_key_next_rotation_seconds')).toBeGreaterThan(0);
    expect(value('edge_auth_dependency_up', { dependency: 'database' })).toBe(1);
    expect(value('edge_auth_build_info', { version })).toBe(1);

    app.clock.advance(4 * 86_400);
    await app.app.runScheduled();
    const later = await scrape(app);
    expect(later.value('edge_auth_outbox_waiting', { kind: 'email', sink: '' })).toBe(0);
    expect(later.value('edge_auth_outbox_dead', { kind: 'email', sink: '' })).toBe(1);
  });

  it('are read again from the database once in 5 s, whoever asks', async () => {
    const app = await testApp({ variables: withMetrics });
    await scrape(app);
    const before = app.statements.length;
    await Promise.all([scrape(app), scrape(app)]);
    expect(app.statements.length).toBe(before);
    app.clock.advance(5);
    await scrape(app);
    expect(app.statements.length).toBe(before + 1);
  });
});

describe('gauges', () => {
  it('are told to each of those who ask at once when nothing is known yet', async () => {
    const app = await testApp({ variables: withMetrics });
    const asked = await Promise.all([scrape(app), scrape(app)]);
    const waiting = asked.map(({ value }) => value('edge_auth_outbox_waiting', { kind: 'email', sink: '' }));
    expect(waiting).toEqual([0, 0]);
  });
});

describe('who may read the metrics', () => {
  const status = async (app: Awaited<ReturnType<typeof testApp>>, token?: string, address?: string) =>
    (await app.request('GET', '/metrics', { token, ...(address === undefined ? {} : { address }) })).status;

  it('is who shows a token that is set, and nobody else', async () => {
    const other = 'another-token-of-metrics';
    const app = await testApp({ variables: { METRICS_TOKEN: `${metricsToken},${other}` } });
    const { access } = await registerUser(app);
    expect([await status(app, metricsToken), await status(app, other)]).toEqual([200, 200]);
    for (const wrong of [undefined, access, metricsToken.slice(1), `${metricsToken}x`, `${metricsToken},${other}`]) {
      expect(await status(app, wrong, '127.0.0.1')).toBe(401);
    }
    const answer = await app.request('GET', '/metrics', { headers: { Authorization: `Basic ${btoa(metricsToken)}` } });
    expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
    expect(await app.request('GET', `/metrics?token=${metricsToken}`)).toMatchObject({ status: 401 });
    expect(app.logLines.join()).not.toContain(metricsToken);
  });

  it('is nobody where no token is set, but the machine itself in development', async () => {
    const app = await testApp(withoutDatabase);
    expect([await status(app), await status(app, metricsToken), await status(app, undefined, '10.0.0.1')]).toEqual([
      404, 404, 404,
    ]);
    expect([await status(app, undefined, '127.0.0.1'), await status(app, undefined, '::1')]).toEqual([200, 200]);
    const production = await testApp({ ...withoutDatabase, variables: { ENVIRONMENT: 'production' } });
    expect(await status(production, undefined, '127.0.0.1')).toBe(404);
  });
});

describe('metrics of several processes', () => {
  /** One store for several applications, which fails as it is told, before or after it has done its work. */
  function createShared() {
    const memory = createMemoryKeyValue({ now: Date.now });
    const told: { fails: 'before' | 'after' | undefined; runs: number } = { fails: undefined, runs: 0 };
    const kv: KeyValue = {
      ...memory,
      kind: 'redis',
      close: async () => undefined,
      run: async (operations) => {
        told.runs += 1;
        if (told.fails === 'before') throw new KeyValueUnavailable('unreachable');
        const results = await memory.run(operations);
        if (told.fails === 'after') throw new KeyValueUnavailable('timeout');
        return results;
      },
    };
    return { told, kv };
  }
  const healthy = { method: 'GET', route: '/health', status: '200' };
  const total = async (app: Parameters<typeof scrape>[0]) =>
    (await scrape(app)).value('edge_auth_http_requests_total', healthy);

  it('are one sum, whichever of them is asked', async () => {
    const { kv } = createShared();
    const [one, other] = [
      await testApp({ ...withoutDatabase, kv, variables: withMetrics }),
      await testApp({ ...withoutDatabase, kv, variables: withMetrics }),
    ];
    for (const app of [one, one, other]) await app.request('GET', '/health');
    expect(await total(one)).toBe(2);
    await other.app.flush();
    expect([await total(one), await total(other)]).toEqual([3, 3]);
  });

  it('cost no round trip on the way of a request, and one for all that was counted since', async () => {
    const { kv, told } = createShared();
    const app = await testApp({ ...withoutDatabase, kv, variables: withMetrics });
    for (let index = 0; index < 10; index += 1) await app.request('GET', '/health');
    expect(told.runs).toBe(0);
    await Promise.all([app.app.flush(), app.app.flush()]);
    await app.app.flush();
    expect(told.runs).toBe(2);
  });

  it('count everything once though the store fails, and though its answer is lost', async () => {
    const { kv, told } = createShared();
    const app = await testApp({ ...withoutDatabase, kv, variables: withMetrics });
    for (const fails of ['before', 'after', 'before', 'after', undefined, 'after'] as const) {
      told.fails = fails;
      await app.request('GET', '/health');
      await app.app.flush();
    }
    told.fails = undefined;
    expect(await total(app)).toBe(6);
    expect(await total(app)).toBe(6);
  });

  it('leave counters out while they cannot be read: one that fell would count as a restart', async () => {
    const { kv, told } = createShared();
    const app = await testApp({ ...withoutDatabase, kv, variables: withMetrics });
    await app.request('GET', '/health');
    expect((await scrape(app)).value('edge_auth_dependency_up', { dependency: 'key_value' })).toBe(1);
    told.fails = 'before';
    const { value, text } = await scrape(app);
    expect(text).not.toMatch(/TYPE \w+ (counter|histogram)/);
    expect(value('edge_auth_dependency_up', { dependency: 'key_value' })).toBe(0);
    expect(value('edge_auth_dependency_up', { dependency: 'database' })).toBe(0);
    told.fails = undefined;
    const back = await scrape(app);
    expect(back.value('edge_auth_http_requests_total', healthy)).toBe(1);
    const series = { dependency: 'key_value', result: 'error' };
    expect(back.value('edge_auth_dependency_duration_seconds_count', series)).toBe(0);
  });

  it('take no more memory the longer the store is away', async () => {
    const { kv, told } = createShared();
    const app = await testApp({ ...withoutDatabase, kv, variables: withMetrics });
    told.fails = 'before';
    let max = 0;
    const measuring: KeyValue = {
      ...kv,
      run: (operations) => {
        max = Math.max(max, operations.length);
        return kv.run(operations);
      },
    };
    const measured = await testApp({ ...withoutDatabase, kv: measuring, variables: withMetrics });
    for (let index = 0; index < 50; index += 1) {
      await measured.request('GET', '/health');
      await measured.app.flush();
    }
    told.fails = undefined;
    expect(max).toBeLessThanOrEqual(4);
    await measured.app.flush();
    expect([await total(measured), await total(app)]).toEqual([50, 50]);
  });

  it('take no notice of what another release or another program added to the same sums', async () => {
    const { kv } = createShared();
    const app = await testApp({ ...withoutDatabase, kv, variables: withMetrics });
    const strange = ['', '[]', '{}', '["edge_auth_no_such_total"]', '["edge_auth_refresh_reuse_total","x"]', '[1]'];
    const amounts = new Map([...strange, '["edge_auth_logins_total","a\\"} 1\\n# HELP"]'].map((field) => [field, 7]));
    await kv.run([{ type: 'add', key: 'metrics', id: 'x', memory: 60, ttl: 60, now: Date.now(), amounts }]);
    const { value, text } = await scrape(app);
    expect(value('edge_auth_refresh_reuse_total')).toBe(0);
    expect(value('edge_auth_logins_total', { result: 'a"} 1\n# HELP' })).toBe(7);
    expect(text).not.toContain('no_such');
  });

  it.skipIf(!hasSharedKeyValue())('are one sum through Redis or Upstash too', async () => {
    const name = crypto.randomUUID();
    const open = () => {
      const kv = runtime.openKeyValue({ token: `test-${name}` });
      if (kv === undefined) throw new Error('skipped');
      return namespaced(kv, () => name);
    };
    const apps = [
      await testApp({ kv: open(), variables: withMetrics }),
      await testApp({ kv: open(), variables: withMetrics }),
    ] as const;
    for (const app of apps) await registerUser(app);
    await Promise.all(apps.map(({ app }) => app.flush()));
    const { value } = await scrape(apps[0]);
    expect(value('edge_auth_http_requests_total', { route: '/auth/register', status: '201' })).toBe(2);
    expect(value('edge_auth_dependency_duration_seconds_count', { dependency: 'key_value', result: 'ok' })).toBe(2);
  });
});
