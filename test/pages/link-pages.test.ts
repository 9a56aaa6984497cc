import { describe, expect, it } from 'vitest';
import { mailTo, secretsTo } from '../support/mail.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const newPassword = 'a quieter pony on the stairs';
const paths = [
  '/verify-email',
  '/confirm-registration',
  '/reset-password',
  '/choose-password',
  '/confirm-email-change',
  '/undo-email-change',
];
const press = ({ request }: TestApp, path: string, fields: Record<string, string>, headers = {}) =>
  request('POST', path, {
    body: new URLSearchParams(fields).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  });

/** The link of the newest mail to somebody, as their mail program opens it. */
function linkTo(app: TestApp, to: string): URL {
  const link = /https:\/\/\S+#\S+/.exec(mailTo(app, to).text)?.[0] ?? '';
  return new URL(link);
}

describe('the page of a mailed link', () => {
  it('is opened by any number of scanners without use, and its button works once', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    const { pathname, search, hash } = linkTo(app, email);
    expect(search).toBe('');
    const before = app.statements.length;
    for (let scan = 0; scan < 50; scan += 1) {
      // The whole link too, for a scanner that does not know what a fragment is.
      for (const path of [pathname, `${pathname}?${hash.slice(1)}`]) {
        expect((await app.request(scan % 2 === 0 ? 'GET' : 'HEAD', path)).status).toBe(200);
      }
    }
    expect(app.statements.length).toBe(before);
    const token = hash.slice('#token='.length);
    const done = await press(app, pathname, { token });
    expect([done.status, done.body]).toEqual([200, expect.stringContaining('is confirmed')]);
    const again = await press(app, pathname, { token });
    expect([again.status, again.body]).toEqual([200, expect.stringContaining('already confirmed')]);
    expect(again.headers.get('Content-Type')).toContain('text/html');
    const never = await press(app, pathname, { token: 'x'.repeat(43) });
    expect([never.status, never.body]).toEqual([410, expect.stringContaining('action="resend-verification"')]);
  });

  it('says nothing to frames, other origins, caches and the next page, and loads only what is ours', async () => {
    const { request } = await testApp();
    for (const path of paths) {
      const { status, headers, body } = await request('GET', path);
      expect(status).toBe(200);
      expect(headers.get('Content-Security-Policy')).toBe(
        "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
      expect(headers.get('Referrer-Policy')).toBe('no-referrer');
      expect(headers.get('Cache-Control')).toBe('no-store');
      expect(headers.get('Access-Control-Allow-Origin')).toBeNull();
      const loaded = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url);
      expect(loaded).toEqual(['pages/style.css', 'pages/link.js']);
      for (const url of loaded) expect((await request('GET', `/${url}`)).status).toBe(200);
    }
    const api = await request('GET', '/health');
    expect(api.headers.get('Content-Security-Policy')).toBe("default-src 'none'; frame-ancestors 'none'");
  });

  it('takes the code and its address instead', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    const { code } = secretsTo(app, email);
    expect((await press(app, '/verify-email', { token: '', email, code })).status).toBe(200);
    expect((await press(app, '/verify-email', { token: '', email, code })).status).toBe(410);
    for (const fields of [{}, { email }, { code }, { email: 'nobody', code }]) {
      const { status, body } = await press(app, '/verify-email', fields);
      expect([status, body]).toEqual([422, expect.stringContaining('Open the link in the email again')]);
    }
  });

  it('keeps the form with its address where the code is wrong, and takes the right one then', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    await app.request('POST', '/auth/forgot-password', { body: { email } });
    const { code } = secretsTo(app, email);
    const sent = { token: '', email, password: newPassword };
    const wrong = await press(app, '/reset-password', { ...sent, code: '0000-0000' });
    expect(wrong.status).toBe(410);
    expect(wrong.body).toContain('<h1>Set a new password</h1>');
    expect(wrong.body).toContain('This code is not right or has expired. Check it, or get a new email.');
    expect(wrong.body).toMatch(new RegExp(`<details open>[\\s\\S]*value="${email}"`));
    expect(wrong.body).toContain('<a href="forgot-password">');
    expect(wrong.body).not.toMatch(/0000-0000|pony/);
    const weak = await press(app, '/reset-password', { ...sent, code, password: 'short' });
    expect([weak.status, weak.body]).toEqual([422, expect.stringContaining(`value="${code}"`)]);
    expect((await press(app, '/reset-password', { ...sent, code })).status).toBe(200);
    for (const path of paths.slice(0, 5)) {
      const { body } = await press(app, path, { ...sent, code: '0000-0000' });
      expect([path, body]).toEqual([path, expect.stringContaining('This code is not right')]);
    }
  });

  it('has a heading that says what became of it', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    const { token } = secretsTo(app, email);
    const headings = async (path: string, fields: Record<string, string>) => {
      const { body } = await press(app, path, fields);
      return [/<h1>(.*)<\/h1>/.exec(body)?.[1], /<title>(.*) · /.exec(body)?.[1]];
    };
    expect(await headings('/verify-email', { token })).toEqual(Array(2).fill('Email address confirmed'));
    expect(await headings('/verify-email', { token })).toEqual(Array(2).fill('Email address confirmed'));
    expect(await headings('/forgot-password', { email })).toEqual(Array(2).fill('Check your email'));
    const reset = { token: secretsTo(app, email).token, password: newPassword };
    expect(await headings('/reset-password', reset)).toEqual(Array(2).fill('Password set'));
    expect(await headings('/reset-password', reset)).toEqual(Array(2).fill('Link no longer valid'));
  });

  it('sets a new password, says what is wrong with one, and keeps the link for the next try', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    await app.request('POST', '/auth/forgot-password', { body: { email } });
    const { token } = secretsTo(app, email);
    const weak = await press(app, '/reset-password', { token, password: 'short' });
    expect([weak.status, weak.body]).toEqual([422, expect.stringContaining('8 to 256 characters')]);
    expect(weak.body).toContain(`name="token" value="${token}"`);
    expect(weak.body).not.toContain('short');
    expect((await press(app, '/reset-password', { token, password: newPassword })).status).toBe(200);
    const login = { body: { identifier: email, password: newPassword } };
    expect((await app.request('POST', '/auth/login', login)).status).toBe(200);
  });

  it('changes an address and takes the change back', async () => {
    const app = await testApp();
    const { email, access } = await registerUser(app);
    const next = `next-${crypto.randomUUID()}@example.com`;
    await app.request('POST', '/users/change-email', { token: access, body: { email: next } });
    const sent = linkTo(app, next);
    expect((await press(app, sent.pathname, { token: secretsTo(app, next).token })).status).toBe(200);
    const undo = linkTo(app, email);
    expect((await press(app, undo.pathname, { token: secretsTo(app, email).token })).status).toBe(200);
    expect((await app.request('POST', '/auth/login', { body: { identifier: next, password } })).status).toBe(401);
  });

  it('speaks the language that the browser asks for', async () => {
    const app = await testApp();
    const { body } = await app.request('GET', '/verify-email', { headers: { 'Accept-Language': 'de-AT, en;q=0.5' } });
    expect(body).toContain('<html lang="de">');
    expect(body).toContain('Adresse bestätigen');
    const german = { 'Accept-Language': 'de' };
    expect((await press(app, '/verify-email', { token: 'x' }, german)).body).toContain('abgelaufen');
  });

  it('escapes what comes back, and answers odd forms with a page', async () => {
    const app = await testApp({ variables: { LIMIT_PROOF_ADDRESS: '4/60' } });
    const odd = await press(app, '/reset-password', { token: '"><script>alert(1)</script>', password: 'short' });
    expect(odd.body).not.toContain('<script>alert');
    expect((await press(app, '/verify-email', { token: 'x'.repeat(600) })).status).toBe(422);
    const json = await app.request('POST', '/verify-email', { body: { token: 'x' } });
    expect([json.status, json.headers.get('Content-Type')]).toEqual([415, expect.stringContaining('text/html')]);
    for (let times = 0; times < 4; times += 1) await press(app, '/verify-email', { token: 'x' });
    const limited = await press(app, '/verify-email', { token: 'x' });
    expect([limited.status, limited.headers.has('Retry-After')]).toEqual([429, true]);
    expect(limited.body).toContain('Too many attempts');
  });
});
