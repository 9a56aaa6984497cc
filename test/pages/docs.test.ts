import { describe, expect, it } from 'vitest';
import { type Answer, issuer, testApp } from '../support/test-app.ts';

/** The paths that a page at `path` loads. */
const loadedBy = (path: string, { body }: Answer) =>
  [...String(body).matchAll(/<(?:script|link)\b[^>]*(?:src|href)="([^"]+)"/g)]
    .map(([, address = '']) => new URL(address, `${issuer}${path}`))
    .filter(({ protocol, pathname }) => protocol === 'https:' && !pathname.endsWith('/openapi.json'))
    .map((url) => {
      expect(url.origin).toBe(issuer);
      return url.pathname;
    });

describe('the pages of the documentation', () => {
  it('load what they need from here, and may load and do nothing else', async () => {
    const { request } = await testApp();
    const policies: Record<string, string> = {
      '/docs': "script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'",
      '/redoc':
        "script-src 'self'; style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='" +
        " 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; img-src 'self' data:; connect-src 'self'" +
        '; worker-src blob:',
    };
    for (const [path, policy] of Object.entries(policies)) {
      const page = await request('GET', path);
      expect(page.status).toBe(200);
      expect(page.headers.get('Content-Type')).toBe('text/html; charset=UTF-8');
      expect(page.headers.get('Content-Security-Policy')).toBe(
        `default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; ${policy}`,
      );
      expect(page.body).not.toMatch(/<style|style=|<script(?! src=)|\son\w+=/);
      const loaded = loadedBy(path, page);
      expect(loaded.filter((each) => each.endsWith('.js'))).toHaveLength(2);
      for (const each of loaded) {
        const { status, headers, body } = await request('GET', each);
        expect([each, status]).toEqual([each, 200]);
        expect(body.length).toBeGreaterThan(50);
        expect(headers.get('Content-Type')).toMatch(each.endsWith('.js') ? 'text/javascript' : 'text/css');
        expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
      }
    }
  });

  it('are the same whatever the address says: no parameter names another document', async () => {
    const { request } = await testApp();
    for (const path of ['/docs', '/redoc']) {
      const { body } = await request('GET', path);
      const query = '?url=https://evil.example/a.json&configUrl=//evil.example&spec-url=x&"><script>alert(1)</script>';
      expect((await request('GET', `${path}${query}`)).body).toBe(body);
    }
  });

  it('stand at an older path too, and load the same from there', async () => {
    const { request } = await testApp();
    const [ours, older] = [await request('GET', '/docs'), await request('GET', '/api/auth/docs')];
    expect(older.status).toBe(200);
    expect(older.headers.get('Content-Security-Policy')).toBe(ours.headers.get('Content-Security-Policy'));
    expect(loadedBy('/api/auth/docs', older)).toEqual(loadedBy('/docs', ours));
  });
});

describe('the files of the documentation', () => {
  it('never change under their path, which names the version, and may be kept', async () => {
    const { request } = await testApp();
    const path = loadedBy('/redoc', await request('GET', '/redoc')).find((each) => each.startsWith('/docs/')) ?? '';
    expect(path).toMatch(/^\/docs\/redoc-\d+\.\d+\.\d+\/redoc\.standalone\.js$/);
    const { status, headers, body } = await request('GET', path);
    expect(status).toBe(200);
    expect(headers.get('Cache-Control')).toBe('public, max-age=31536000, immutable');
    expect(body).not.toMatch(/sourceMappingURL=redoc|cdn\.redoc\.ly/);
    const etag = headers.get('ETag') ?? '';
    for (const known of [etag, `W/${etag}`, '*']) {
      const again = await request('GET', path, { headers: { 'If-None-Match': known } });
      expect([again.status, again.headers.get('ETag'), again.body]).toEqual([304, etag, '']);
    }
    const head = await request('HEAD', path);
    expect([head.status, head.headers.get('ETag'), head.body]).toEqual([200, etag, '']);
    expect((await request('POST', path)).status).toBe(405);
    expect((await request('GET', `${path}.LICENSE.txt`)).body).toContain('MIT');
  });

  it('count against the limit of the documentation', async () => {
    const { request } = await testApp({ variables: { LIMIT_DOCS_ADDRESS: '2/60' } });
    const path = '/docs/redoc-2.5.4/LICENSE';
    const statuses = [];
    for (const _ of [1, 2, 3]) statuses.push((await request('GET', path)).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect((await request('GET', path, { address: '203.0.113.9' })).status).toBe(200);
  });

  it('are those of a list, and no other is found', async () => {
    const { request } = await testApp();
    const paths = [
      '/docs/redoc-2.5.4/redoc.standalone.js.map',
      '/docs/redoc-2.5.4/..%2fredoc-2.5.4%2fLICENSE',
      '/docs/..%2f..%2fpackage.json/LICENSE',
      '/docs/%2e%2e/package.json',
      '/docs/..%5c..%5c/package.json',
      '/docs/redoc-2.5.4/LICENSE%00.js',
      '/docs/redoc-2.5.4//LICENSE',
      '/docs/__proto__/constructor',
      '/docs/redoc-2.5.4/',
    ];
    for (const path of paths) expect([path, (await request('GET', path)).status]).toEqual([path, 404]);
  });
});
