import { describe, expect, it } from 'vitest';
import { guides } from '../../dev/guides.ts';
import { guideNames as names } from '../../src/pages/guides.ts';
import { issuer, testApp } from '../support/test-app.ts';

describe('the guides', () => {
  it('are pages that load a stylesheet of this origin and nothing else', async () => {
    const { request } = await testApp();
    for (const name of names) {
      const { status, headers, body } = await request('GET', `/docs/${name}`);
      expect([name, status]).toEqual([name, 200]);
      expect(headers.get('Content-Type')).toBe('text/html; charset=utf-8');
      expect(headers.get('Content-Security-Policy')).toBe(
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      expect(body).not.toMatch(/<script|<style|style=|<img|\son\w+=/);
      expect(body).toContain('<link rel="stylesheet" href="../pages/guide.css">');
      expect(body).toContain('<h1 id=');
    }
    const style = await request('GET', '/pages/guide.css');
    expect([style.status, style.headers.get('Content-Type')]).toEqual([200, 'text/css; charset=utf-8']);
  });

  it('are plain Markdown at the same address with .md', async () => {
    const { request } = await testApp();
    for (const name of names) {
      const { status, headers, body } = await request('GET', `/docs/${name}.md`);
      expect([name, status]).toEqual([name, 200]);
      expect(headers.get('Content-Type')).toBe('text/markdown; charset=utf-8');
      expect(body.startsWith(`# ${guides[name].title}\n`)).toBe(true);
    }
  });

  it('link to one another as pages, and to headings that exist', async () => {
    const { request } = await testApp();
    const pages = new Map<string, string>(
      await Promise.all(names.map(async (name) => [name, (await request('GET', `/docs/${name}`)).body] as const)),
    );
    for (const [name, body] of pages) {
      for (const [, address = ''] of body.matchAll(/<a href="([^"]+)"/g)) {
        const { origin, pathname, hash } = new URL(address, `${issuer}/docs/${name}`);
        if (origin !== issuer || pathname.endsWith('.md') || ['/docs', '/redoc'].includes(pathname)) continue;
        const target = pages.get(pathname.replace('/docs/', ''));
        expect([name, address, target !== undefined]).toEqual([name, address, true]);
        if (hash !== '')
          expect([name, address, target?.includes(`id="${hash.slice(1)}"`)]).toEqual([name, address, true]);
      }
    }
  });

  it('are reached from the pages of the API', async () => {
    const { request } = await testApp();
    for (const path of ['/docs', '/redoc']) {
      expect((await request('GET', path)).body).toContain('<a href="docs/index">Guides</a>');
    }
    expect((await request('GET', '/api/auth/docs')).body).toContain('<a href="../../docs/index">Guides</a>');
  });

  it('are the only ones: no other name is found', async () => {
    const { request } = await testApp();
    const paths = ['/docs/none', '/docs/none.md', '/docs/security.html', '/docs/..%2fREADME.md', '/docs/guide.css'];
    for (const path of paths) expect([path, (await request('GET', path)).status]).toEqual([path, 404]);
  });
});

describe('/llms.txt', () => {
  it('lists the API and every guide in Markdown', async () => {
    const { request } = await testApp();
    const { status, headers, body } = await request('GET', '/llms.txt');
    expect([status, headers.get('Content-Type')]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(body).toMatch(/^# Edge Auth\n\n> /);
    const listed = [...body.matchAll(/^- \[[^\]]+\]\((\S+)\): \S/gm)].map(([, address]) => address);
    expect(listed).toEqual(['openapi.json', ...names.map((name) => `docs/${name}.md`)]);
    for (const address of listed) expect((await request('GET', `/${address}`)).status).toBe(200);
  });
});
