import { describe, expect, it } from 'vitest';
import { Overloaded } from '../../src/crypto/semaphore.ts';
import { password, registerUser, testApp } from '../support/test-app.ts';

describe('an error', () => {
  it('is a problem after RFC 9457 with a request id', async () => {
    const { request } = await testApp();
    const { status, headers, body } = await request('GET', '/nowhere');
    expect(status).toBe(404);
    expect(headers.get('Content-Type')).toBe('application/problem+json');
    expect(body).toEqual({
      type: 'about:blank',
      title: expect.any(String),
      status: 404,
      detail: 'Check the path and the id. /docs lists all paths.',
      code: 'not_found',
      request_id: headers.get('X-Request-Id'),
    });
  });

  it('of the method tells which ones are taken', async () => {
    const { request } = await testApp();
    const { status, headers, body } = await request('DELETE', '/users/me');
    expect(status).toBe(405);
    expect(headers.get('Allow')).toBe('GET, HEAD');
    expect(body).toMatchObject({ code: 'method_not_allowed', detail: expect.any(String) });
  });

  it('that nobody foresaw says nothing of itself, to the client or to the log', async () => {
    const canary = 'canary-in-the-message';
    const hasher = {
      hash: () => Promise.reject(new Error(canary)),
      verify: () => Promise.reject(new Error(canary)),
    };
    const { request, logLines } = await testApp({ hasher });
    const { status, body } = await request('POST', '/auth/register', { body: { username: 'ann', password } });
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: 'internal_error', detail: expect.any(String) });
    expect(JSON.stringify(body) + logLines.join()).not.toContain(canary);
    expect(logLines.join()).toContain('unexpected_error');
  });
});

describe('a body', () => {
  const send = async (body: string, type = 'application/json') => {
    const { request } = await testApp();
    const { status, body: answer } = await request('POST', '/auth/login', { body, headers: { 'Content-Type': type } });
    return [status, answer.code];
  };

  it('has to be JSON, and well-formed', async () => {
    expect(await send('{"identifier":')).toEqual([400, 'invalid_json']);
    expect(await send('', 'text/plain')).toEqual([415, 'unsupported_media_type']);
    expect(await send('{}', 'text/plain')).toEqual([415, 'unsupported_media_type']);
    expect(await send('identifier=a&password=b', 'application/x-www-form-urlencoded')).toEqual([
      415,
      'unsupported_media_type',
    ]);
    expect(await send('[]')).toEqual([422, 'validation_failed']);
    expect(await send('null')).toEqual([422, 'validation_failed']);
    expect(await send('"text"')).toEqual([422, 'validation_failed']);
    expect(await send('{}', 'application/json; charset=utf-8')).toEqual([422, 'validation_failed']);
    expect(await send('['.repeat(60_000))).toEqual([400, 'invalid_json']);
  });

  it('that is missing, or lacks fields, is answered with their names', async () => {
    const { request } = await testApp();
    const json = { 'Content-Type': 'application/json' };
    for (const sent of [{}, { body: '', headers: json }, { body: {} }]) {
      const { status, body } = await request('POST', '/auth/refresh', sent);
      const errors = [{ path: 'refresh_token', message: 'Required' }];
      expect([status, body.code, body.errors]).toEqual([422, 'validation_failed', errors]);
    }
    const { body } = await request('POST', '/auth/refresh', { body: { refresh_token: 7 } });
    expect(body.errors).toEqual([{ path: 'refresh_token', message: 'Must be a text' }]);
  });

  it('that is packed is 415, and the answer names what is taken', async () => {
    const { request } = await testApp();
    const packed = new Response('{}').body?.pipeThrough(new CompressionStream('gzip'));
    const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
    for (const encoding of ['gzip', 'br', 'gzip, identity']) {
      const headers = { 'Content-Type': 'application/json', 'Content-Encoding': encoding };
      const answer = await request('POST', '/auth/login', { body: bytes, headers });
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
      expect(answer.body.detail).toContain('Content-Encoding');
      expect(answer.headers.get('Accept-Encoding')).toBe('identity');
    }
    const plain = await request('POST', '/auth/login', { body: {}, headers: { 'Content-Encoding': 'identity' } });
    expect(plain.status).toBe(422);
  });

  it('has to be UTF-8', async () => {
    const { app } = await testApp();
    const bytes = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
    const headers = { 'Content-Type': 'application/json' };
    const request = new Request('https://auth.test/auth/login', { method: 'POST', body: bytes, headers });
    const response = await app.fetch(request, { clientAddress: '192.0.2.1' });
    expect(response.status).toBe(400);
  });

  it('is at most 64 KiB, whether its length is announced or not', async () => {
    expect(await send(JSON.stringify({ identifier: 'x'.repeat(64 * 1024) }))).toEqual([413, 'body_too_large']);
    const { app } = await testApp();
    const chunk = new TextEncoder().encode('x'.repeat(10_000));
    let chunks = 0;
    const body = new ReadableStream({
      pull(controller) {
        chunks += 1;
        if (chunks > 1000) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const headers = { 'Content-Type': 'application/json' };
    const init = { method: 'POST', body, headers, duplex: 'half' };
    const response = await app.fetch(new Request('https://auth.test/auth/login', init), { clientAddress: '192.0.2.1' });
    expect(response.status).toBe(413);
    expect(chunks).toBeLessThan(20);
  });

  it('may be missing where all of it is optional', async () => {
    const app = await testApp();
    const { access } = await registerUser(app);
    expect((await app.request('POST', '/auth/logout', { token: access })).status).toBe(200);
  });
});

describe('every response', () => {
  it('carries security headers and a request id of ours; that of the client stands in the log beside it', async () => {
    const { request, logLines } = await testApp();
    const { headers } = await request('GET', '/health', { headers: { 'X-Request-Id': 'trace-1' } });
    const id = headers.get('X-Request-Id');
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.parse(logLines.at(-1) ?? '')).toMatchObject({ request_id: id, client_request_id: 'trace-1' });
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('Strict-Transport-Security')).toMatch(/max-age=\d+/);
    expect(headers.get('Content-Security-Policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get('Referrer-Policy')).toBe('no-referrer');
    for (const odd of ['a"b{}<script>', 'ann@example.com', 'x'.repeat(200)]) {
      await request('GET', '/health', { headers: { 'X-Request-Id': odd } });
      expect(JSON.parse(logLines.at(-1) ?? '')).not.toHaveProperty('client_request_id');
    }
  });

  it('is open to listed origins only, the key set to all', async () => {
    const { request } = await testApp({ variables: { CORS_ORIGINS: 'https://app.example, https://other.example' } });
    const allowed = async (path: string, origin: string, method = 'GET') => {
      const sent = { Origin: origin, 'Access-Control-Request-Method': 'POST' };
      return (await request(method, path, { headers: sent })).headers.get('Access-Control-Allow-Origin');
    };
    expect(await allowed('/health', 'https://app.example')).toBe('https://app.example');
    expect(await allowed('/auth/login', 'https://other.example', 'OPTIONS')).toBe('https://other.example');
    expect(await allowed('/health', 'https://evil.example')).toBeNull();
    expect(await allowed('/health', 'https://app.example.evil.example')).toBeNull();
    expect(await allowed('/health', 'null')).toBeNull();
    expect(await allowed('/.well-known/jwks.json', 'https://anybody.example')).toBe('*');
  });
});

describe('the log', () => {
  it('has one line for each request: route pattern, status, duration, never what came in', async () => {
    const { request, logLines } = await testApp();
    const secrets = {
      email: 'canary@example.com',
      password: 'secret-of-the-mine-1',
      name: 'Canary',
      phone_number: '+14155550199',
    };
    const { body } = await request('POST', '/auth/register', { body: secrets });
    await request('POST', '/auth/login', { body: { email: secrets.email, password: 'canary-wrong' } });
    await request('GET', '/users/me', { token: body.access_token });
    await request('POST', '/auth/refresh', { body: { refresh_token: body.refresh_token } });
    await request('GET', `/nowhere/${secrets.email}?token=canary-token`);
    const lines = logLines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'request');
    expect(lines.map(({ method, route, status }) => `${method} ${route} ${status}`)).toEqual([
      'POST /auth/register 201',
      'POST /auth/login 401',
      'GET /users/me 200',
      'POST /auth/refresh 200',
      'GET unknown 404',
    ]);
    const all = logLines.join('\n');
    for (const secret of [
      'canary',
      'Canary',
      '4155550199',
      '192.0.2',
      body.access_token,
      body.refresh_token,
      body.user.id,
    ]) {
      expect(all).not.toContain(secret);
    }
  });

  it('warns of slow requests', async () => {
    const app = await testApp({ variables: { SLOW_REQUEST_MS: '500' } });
    const { hash } = app.deps.hasher;
    const slow = await testApp({
      databaseUrl: app.databaseUrl,
      variables: { SLOW_REQUEST_MS: '500' },
      clock: app.clock,
      hasher: {
        ...app.deps.hasher,
        hash: (typed) => {
          app.clock.advance(0.6);
          return hash(typed);
        },
      },
    });
    await registerUser(slow);
    const [line] = slow.logLines.map((text) => JSON.parse(text)).filter(({ event }) => event === 'slow_request');
    expect(line).toMatchObject({ level: 'warn', route: '/auth/register', duration_ms: 600 });
  });
});

describe('health', () => {
  it('is told at /, /health and /healthz without asking anybody', async () => {
    const app = await testApp();
    for (const path of ['/', '/health', '/healthz']) {
      const { status, body } = await app.request('GET', path);
      expect([status, body.status]).toEqual([200, 'ok']);
    }
    expect([app.statements.length, app.roundTrips()]).toEqual([0, 0]);
  });

  it('is a page with links at / for a browser, and JSON for all others', async () => {
    const { request } = await testApp({ variables: { MAILBOX_URL: 'http://localhost:8788' } });
    const browser = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
    const { status, headers, body } = await request('GET', '/', { headers: browser });
    expect([status, headers.get('Content-Type'), headers.get('Vary')]).toEqual([
      200,
      expect.stringContaining('text/html'),
      expect.stringContaining('Accept'),
    ]);
    for (const link of ['docs', 'redoc', 'openapi.json', 'health', 'http://localhost:8788']) {
      expect(body).toContain(`href="${link}"`);
    }
    expect(headers.get('Content-Security-Policy')).toContain("style-src 'self'");
    for (const Accept of ['*/*', 'application/json', 'text/plain', '']) {
      expect((await request('GET', '/', { headers: { Accept } })).body).toMatchObject({ status: 'ok' });
    }
    const bare = await testApp({ variables: { DOCS: 'off' } });
    const page = await bare.request('GET', '/', { headers: browser });
    expect(page.body).not.toMatch(/href="(docs|redoc|openapi|http)/);
  });

  it('of the dependencies is told at /readyz', async () => {
    const { request } = await testApp();
    const { status, body } = await request('GET', '/readyz');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'ready',
      dependencies: { database: { status: 'up' }, key_value: { status: 'up' } },
    });
  });
});

it('answers 503 with Retry-After when more passwords wait to be hashed than anybody would wait for', async () => {
  const overloaded = () => Promise.reject(new Overloaded('full'));
  const { request } = await testApp({ hasher: { hash: overloaded, verify: overloaded } });
  const { status, headers, body } = await request('POST', '/auth/login', { body: { identifier: 'ann', password } });
  expect([status, body.code, headers.get('Retry-After')]).toEqual([503, 'overloaded', '5']);
});

describe('a slash behind a known path', () => {
  it('leads to the path, with the method, the body and the query, as in the older services', async () => {
    const { request } = await testApp();
    const target = async (method: string, path: string) => {
      const { status, headers } = await request(method, path, method === 'POST' ? { body: {} } : {});
      return [status, headers.get('Location')];
    };
    expect(await target('POST', '/auth/signup/')).toEqual([307, '../signup']);
    expect(await target('GET', '/api/auth/me/?a=b')).toEqual([307, '../me?a=b']);
    expect(await target('DELETE', '/users/sessions/evil.example/')).toEqual([307, '../evil.example']);
    expect(await target('GET', '/nowhere/')).toEqual([404, null]);
    expect(await target('GET', '//evil.example/')).toEqual([404, null]);
    expect(await target('GET', '/auth/verify-token/')).toEqual([401, null]);
  });

  it('leads nowhere where no older API is on', async () => {
    const { request } = await testApp({ variables: { COMPAT_APIS: 'none' } });
    expect((await request('GET', '/users/me/')).status).toBe(404);
  });
});

describe('what anybody may ask and costs something', () => {
  const places = ['/docs', '/redoc', '/openapi.json', '/api/auth/docs', '/api/auth/openapi.json', '/readyz'];

  it('is limited by the address', async () => {
    const variables = { LIMIT_DOCS_ADDRESS: '2/60', LIMIT_READYZ_ADDRESS: '1/60' };
    const app = await testApp({ variables });
    const status = async (path: string, address: string) => (await app.request('GET', path, { address })).status;
    expect([await status('/docs', '192.0.2.8'), await status('/openapi.json', '192.0.2.8')]).toEqual([200, 200]);
    for (const path of places.slice(0, 5)) expect(await status(path, '192.0.2.8')).toBe(429);
    expect([await status('/readyz', '192.0.2.8'), await status('/readyz', '192.0.2.8')]).toEqual([200, 429]);
    expect(await status('/redoc', '192.0.2.9')).toBe(200);
  });

  it('can be turned off', async () => {
    const app = await testApp({ variables: { DOCS: 'off', READYZ: 'Off' } });
    for (const path of [...places, '/pages/docs.js']) expect((await app.request('GET', path)).status).toBe(404);
    expect((await app.request('GET', '/healthz')).status).toBe(200);
    await expect(testApp({ variables: { DOCS: 'perhaps' } })).rejects.toThrow('DOCS: Must be on or off');
  });
});
