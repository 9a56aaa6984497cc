// In workerd only: it is the entry for Cloudflare.
/// <reference types="@cloudflare/vitest-plugin/types" />
import { createExecutionContext, createScheduledController, waitOnExecutionContext } from 'cloudflare:test';
import { beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { olderSecret, testSecret } from './support/secret.ts';
import { createDatabase } from './support/test-app.ts';

const { default: worker } = await import('../src/worker.ts');

async function bindings(): Promise<Record<string, unknown>> {
  return {
    ENVIRONMENT: 'dev',
    AUTH_SECRET: testSecret,
    ISSUER: 'https://auth.test',
    DATABASE_URL: await createDatabase(),
    NEON_HTTP_ENDPOINT: inject('neonEndpoint'),
    LOG_LEVEL: 'silent',
    LIMIT_LOGIN_ADDRESS: '2/86400',
    METRICS_INTERVAL: '1',
    EVENTS: {},
  };
}

const incoming = (path: string, init: RequestInit<IncomingRequestCfProperties> = {}) =>
  new Request<unknown, IncomingRequestCfProperties>(`https://auth.test${path}`, init);

async function send(
  env: Record<string, unknown>,
  path: string,
  init: RequestInit<IncomingRequestCfProperties> = {},
): Promise<Response> {
  const context = createExecutionContext();
  const response = await worker.fetch(incoming(path, init), env, context);
  await waitOnExecutionContext(context);
  return response;
}

describe('the Worker', () => {
  beforeEach(() => vi.resetModules());

  it('says that it is not configured, logs which variables, and shows no value', async () => {
    const fresh = (await import('../src/worker.ts')).default;
    const lines: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)));
    const context = createExecutionContext();
    const env = { AUTH_SECRET: 'canary', DATABASE_URL: 'canary' };
    const response = await fresh.fetch(incoming('/'), env, context);
    log.mockRestore();
    expect(response.status).toBe(503);
    expect(response.headers.get('Retry-After')).toBe('30');
    expect(await response.text()).not.toMatch(/AUTH_SECRET|canary/);
    expect(lines.join()).toMatch(/AUTH_SECRET.*DATABASE_URL.*ISSUER|ISSUER.*DATABASE_URL/);
    expect(lines.join()).not.toContain('canary');
  });

  it('answers 503 and says why in its log where its secret is not the one of the database, but for its liveness', async () => {
    const fresh = (await import('../src/worker.ts')).default;
    const lines: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)));
    const env = { ...(await bindings()), AUTH_SECRET: olderSecret };
    const context = createExecutionContext();
    const body = JSON.stringify({ email: 'ann@example.com', password: 'correct horse battery staple' });
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body };
    const response = await fresh.fetch(incoming('/auth/register', init), env, context);
    const alive = await fresh.fetch(incoming('/healthz'), env, context);
    log.mockRestore();
    expect([response.status, response.headers.get('Retry-After'), alive.status]).toEqual([503, '30', 200]);
    expect(lines.join()).toContain('this database belongs to a service with another secret');
    expect(`${lines.join()}${await response.text()}`).not.toContain(olderSecret);
    await expect(fresh.scheduled(createScheduledController(), env)).rejects.toThrow('another secret');
  });

  it('counts by CF-Connecting-IP, and by no header that a client can set', async () => {
    const env = await bindings();
    const attempt = async (headers: Record<string, string>) => {
      const body = JSON.stringify({ identifier: crypto.randomUUID(), password: 'wrong password' });
      const sent = { 'Content-Type': 'application/json', ...headers };
      return (await send(env, '/auth/login', { method: 'POST', body, headers: sent })).status;
    };
    const address = { 'CF-Connecting-IP': '192.0.2.77' };
    expect(await attempt(address)).toBe(401);
    expect(await attempt({ ...address, 'X-Forwarded-For': '203.0.113.1' })).toBe(401);
    expect(await attempt({ ...address, 'X-Forwarded-For': '203.0.113.2', 'X-Real-IP': '203.0.113.2' })).toBe(429);
    expect(await attempt({ 'CF-Connecting-IP': '192.0.2.78' })).toBe(401);
  });

  it('names SMTP_HOST where SMTP is configured, which it cannot do', async () => {
    const fresh = (await import('../src/worker.ts')).default;
    const lines: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)));
    const env = { ...(await bindings()), SMTP_HOST: 'smtp.canary.example', MAIL_FROM: 'a@canary.example' };
    const response = await fresh.fetch(incoming('/'), env, createExecutionContext());
    log.mockRestore();
    expect(response.status).toBe(503);
    expect(response.headers.get('Retry-After')).toBe('30');
    expect(lines.join()).toContain('SMTP_HOST');
    expect(lines.join()).not.toContain('canary');
  });

  it('adds to the sums of all isolates after the answer', async () => {
    const url = inject('upstashUrl');
    const shared = {
      UPSTASH_REDIS_REST_URL: url,
      UPSTASH_REDIS_REST_TOKEN: `test-${crypto.randomUUID()}`,
      METRICS_TOKEN: 'token-of-the-metrics',
    };
    const env = {
      ...(await bindings()),
      ...(url === null ? {} : shared),
      OTEL_EXPORTER_OTLP_ENDPOINT: inject('otlpCollector'),
    };
    const fresh = (await import('../src/worker.ts')).default;
    const context = createExecutionContext();
    for (const _ of [1, 2, 3]) await (await fresh.fetch(incoming('/healthz'), env, context)).text();
    await waitOnExecutionContext(context);
    // Another isolate.
    vi.resetModules();
    const other = (await import('../src/worker.ts')).default;
    const token = { headers: { Authorization: 'Bearer token-of-the-metrics' } };
    const answer = await other.fetch(incoming('/metrics', token), env, createExecutionContext());
    const counted = /^edge_auth_http_requests_total\{method="GET",route="\/healthz",status="200"\} (\d+)$/m;
    if (url !== null) expect(Number(counted.exec(await answer.text())?.[1])).toBeGreaterThanOrEqual(3);
  });

  it('answers with a problem what is no URL, and OPTIONS * as what it is', async () => {
    const env = await bindings();
    // As workerd hands them on: none of these can be made with a constructor.
    const raw = (url: string, method: string, host: string) =>
      new Proxy(incoming('/', { method, headers: { Host: host } }), {
        get: (request, name) => (name === 'url' ? url : Reflect.get(request, name, request)),
      });
    for (const [host, path] of [
      ['a b', '/x'],
      ['[::zz', '/x'],
      ['x:99999', '/'],
      ['x', '/auth/verify-token/../../health'],
      ['x', '/auth/verify-token/%2e%2e/%2E./health'],
      ['x/health?', '/auth/verify-token/x'],
      ['x/health#', '/auth/verify-token/x'],
      ['x\\health?', '/auth/verify-token/x'],
      ['name@x', '/health'],
      ['x, y', '/health'],
    ] as const) {
      const response = await worker.fetch(raw(`http://${host}${path}`, 'GET', host), env, createExecutionContext());
      expect([response.status, response.headers.get('Content-Type')]).toEqual([400, 'application/problem+json']);
      expect(await response.json()).toMatchObject({ code: 'bad_request', request_id: expect.any(String) });
    }
    expect((await worker.fetch(raw('http://x*', 'OPTIONS', 'x'), env, createExecutionContext())).status).toBe(204);
  });

  it('reads a body that it answers without reading, and no more than a MiB of it', async () => {
    const env = await bindings();
    const ask = async (chunks: number) => {
      let sent = 0;
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (sent === chunks) return controller.close();
            sent += 1;
            controller.enqueue(new Uint8Array(65_536));
          },
        },
        { highWaterMark: 0 },
      );
      const headers = { 'Content-Length': String(chunks * 65_536) };
      const request = incoming('/auth/verify-token', { method: 'POST', body, headers });
      const { status } = await worker.fetch(request, env, createExecutionContext());
      return [status, sent];
    };
    expect(await ask(1)).toEqual([401, 1]);
    expect(await ask(5)).toEqual([413, 5]);
    expect(await ask(1000)).toEqual([413, 16]);
  });

  it('does the scheduled work when the cron trigger fires', async () => {
    const env = await bindings();
    await worker.scheduled(createScheduledController(), env);
    const { keys }: { keys: unknown[] } = await (await send(env, '/.well-known/jwks.json')).json();
    expect(keys).toHaveLength(1);
  });
});
