import { describe, expect, it } from 'vitest';
import { mailTo, secretsTo } from '../support/mail.ts';
import { registerUser, type TestApp, testApp } from '../support/test-app.ts';

const variables = {
  APP_URL: 'https://app.example/cb',
  REDIRECT_URLS: 'https://other.example:8443, https://root.example/, myapp://done/deep',
  LIMIT_PROOF_ADDRESS: '10000/60',
  LIMIT_MAIL_ADDRESS: '10000/60',
  LIMIT_MAIL_ACCOUNT: '10000/60',
};
const home = 'https://app.example/cb';

/** Each address with the form in which the service writes it: the one that a browser would open. */
const allowed = [
  ['https://app.example/cb', 'https://app.example/cb'],
  ['https://app.example/cb/', 'https://app.example/cb/'],
  ['https://app.example/cb/welcome?from=mail#top', 'https://app.example/cb/welcome?from=mail#top'],
  ['HTTPS://APP.Example/cb', 'https://app.example/cb'],
  ['https://app.example:443/cb', 'https://app.example/cb'],
  ['https:app.example/cb', 'https://app.example/cb'],
  ['https:///app.example/cb', 'https://app.example/cb'],
  ['https://app\uff0eexample/cb', 'https://app.example/cb'],
  ['https://app\u3002example/cb', 'https://app.example/cb'],
  ['https://app%2eexample/cb', 'https://app.example/cb'],
  ['https://\uff41pp.example/cb', 'https://app.example/cb'],
  ['https://app.example/cb/a/../b', 'https://app.example/cb/b'],
  ['https://app.example/cb/a%2fb', 'https://app.example/cb/a%2fb'],
  ['https://app.example/cb?next=//evil.example', 'https://app.example/cb?next=//evil.example'],
  [
    'https://app.example/cb/"><script>alert(1)</script>',
    'https://app.example/cb/%22%3E%3Cscript%3Ealert(1)%3C/script%3E',
  ],
  ['https://app.example/cb/%0d%0aSet-Cookie:a=b', 'https://app.example/cb/%0d%0aSet-Cookie:a=b'],
  ['https://other.example:8443/anywhere', 'https://other.example:8443/anywhere'],
  ['https://root.example', 'https://root.example/'],
  ['https://root.example//evil.example', 'https://root.example//evil.example'],
  ['https://root.example#@evil.example', 'https://root.example/#@evil.example'],
  ['myapp://done/deep', 'myapp://done/deep'],
  ['myapp://done/deep/er', 'myapp://done/deep/er'],
  ['MYAPP://done/deep', 'myapp://done/deep'],
] as const;

const refused = [
  '',
  ' ',
  '/cb',
  'cb',
  '?next=/cb',
  '//evil.example',
  '///evil.example',
  '////evil.example/cb',
  '\\\\evil.example',
  '/\\evil.example',
  'https:\\\\evil.example',
  'https://evil.example',
  'https://evil.example/cb',
  'https://evil.example/https://app.example/cb',
  'https://evil.example/#https://app.example/cb',
  'https://evil.example/?https://app.example/cb',
  'https://evil.example\\@app.example/cb',
  'https://app.example\\@evil.example/cb',
  'https://app.example@evil.example/cb',
  'https://app.example:443@evil.example/cb',
  'https://app.example%2f@evil.example/cb',
  'https://app.example%5c@evil.example/cb',
  'https://app.example%40evil.example/cb',
  'https://app.example/cb@evil.example',
  'https://user@app.example/cb',
  'https://user:secret@app.example/cb',
  'https://:secret@app.example/cb',
  'http://app.example/cb',
  'ftp://app.example/cb',
  'wss://app.example/cb',
  'https://app.example:8443/cb',
  'https://app.example:80/cb',
  'https://app.example:0/cb',
  'https://app.example:99999/cb',
  'https://other.example/',
  'https://other.example:443/',
  'https://app.example./cb',
  'https://app.example../cb',
  'https://.app.example/cb',
  'https://sub.app.example/cb',
  'https://notapp.example/cb',
  'https://app.example.evil.example/cb',
  'https://app.example%2eevil.example/cb',
  'https://app.example%00.evil.example/cb',
  'https://app.exampl\u0435/cb',
  'https://\u0430pp.example/cb',
  'https://xn--pp-7kc.example/cb',
  'https://app-example/cb',
  'https://app\u00ad.evil.example/cb',
  'https://app.example',
  'https://app.example/',
  'https://app.example/cb2',
  'https://app.example/c',
  'https://app.example/CB',
  'https://app.example/cb;x',
  'https://app.example/cb%2f',
  'https://app.example//cb',
  'https://app.example/cb/../x',
  'https://app.example/cb/..',
  'https://app.example/cb/%2e%2e/x',
  'https://app.example/cb/.%2E/x',
  'https://app.example/cb/..%2fx',
  'https://app.example/cb/a%2f..%2f..%2fx',
  'https://app.example/cb/..%5cx',
  'https://app.example/cb/%2e%2e%2Fx',
  'https://app.example/cb/..;/x',
  'https://app.example/cb/..\\x',
  'https://app.example/cb\\..\\x',
  'https://app.example/x?/cb',
  'https://app.example/x#/cb',
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'java\nscript:alert(1)',
  '\u0001javascript:alert(1)',
  'javascript://app.example/cb%0aalert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'blob:https://app.example/cb',
  'view-source:https://app.example/cb',
  'file:///etc/passwd',
  'mailto:ann@example.com',
  'https://app.example/cb\r\nSet-Cookie: a=b',
  'https://app.example/cb\tx',
  'https://app.example/cb x',
  ' https://app.example/cb',
  'https://app.example/cb ',
  'https://app.example/cb\u00a0',
  'https://app.example/cb\u2028',
  'https://app.example/cb\u007f',
  `https://app.example/cb?${'x'.repeat(2000)}`,
  'myapp://done',
  'myapp://done/deepest',
  'myapp://done/deep/../x',
  'myapp://DONE/deep',
  'myapp://evil/deep',
  'myapp://user@done/deep',
  'myapp://done:80/deep',
  'myapp:done/deep',
  'myapp:/done/deep',
  'myapps://done/deep',
] as const;

const ask = ({ request }: TestApp, email: string, redirectTo: string) =>
  request('POST', '/auth/resend-verification', { body: { email, redirect_to: redirectTo } });
/** Where the `redirect_to` of the newest mail's link leads. */
const inMail = (app: TestApp, email: string): string | null =>
  new URL(/https:\/\/\S+#\S+/.exec(mailTo(app, email).text)?.[0] ?? '').searchParams.get('redirect_to');
/** Where the button of a page leads, as a browser reads the attribute. */
function buttonOf(body: string): string | undefined {
  const href = /<a class="button" href="([^"<>]*)">/.exec(body)?.[1];
  return href?.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&');
}

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const press = ({ request }: TestApp, path: string, fields: Record<string, string>) =>
  request('POST', path, { body: new URLSearchParams(fields).toString(), headers: form });

describe('a redirect_to', () => {
  it('leads on from mail and page where the list allows it, in the form that a browser reads', async () => {
    const app = await testApp({ variables });
    const { email } = await registerUser(app);
    for (const [given, written] of allowed) {
      expect([given, (await ask(app, email, given)).status]).toEqual([given, 202]);
      expect([given, inMail(app, email)]).toEqual([given, written]);
      // What the service writes must lead where it says: to the same place when it is read again.
      expect([given, URL.parse(written)?.href]).toEqual([given, written]);
    }
    const { token } = secretsTo(app, email);
    for (const [given, written] of allowed) {
      const pages = [
        await press(app, '/verify-email', { token, redirect_to: given }),
        await press(app, `/verify-email?redirect_to=${encodeURIComponent(given)}`, { token }),
      ];
      for (const { status, body } of pages) expect([given, status, buttonOf(body)]).toEqual([given, 200, written]);
    }
  });

  it('gets 422 from every operation that takes one, and no mail, where the list does not allow it', async () => {
    const app = await testApp({ variables });
    const { email, access } = await registerUser(app);
    const sent = app.mails.length;
    for (const value of refused) {
      const { status, body } = await ask(app, email, value);
      expect([value, status, body.errors]).toEqual([value, 422, [expect.objectContaining({ path: 'redirect_to' })]]);
    }
    for (const path of ['/auth/register', '/auth/forgot-password', '/users/change-email']) {
      for (const value of ['//evil.example', 'https://app.example@evil.example/cb', 'javascript:alert(1)']) {
        const fields = { email: `x-${email}`, redirect_to: value };
        const body = path === '/auth/register' ? { ...fields, password: 'a quieter pony on the stairs' } : fields;
        const answer = await app.request('POST', path, { body, token: access });
        expect([path, value, answer.status]).toEqual([path, value, 422]);
        expect(answer.body.errors.map((error: { path: string }) => error.path)).toEqual(['redirect_to']);
      }
    }
    expect(app.mails).toHaveLength(sent);
  });

  it('that the list does not allow leads a page nowhere but home', async () => {
    const app = await testApp({ variables });
    const { email } = await registerUser(app);
    const { token } = secretsTo(app, email);
    for (const value of refused) {
      const address = `/verify-email?redirect_to=${encodeURIComponent(value)}`;
      const opened = await app.request('GET', address);
      expect([value, opened.status, opened.body.includes('name="redirect_to"')]).toEqual([value, 200, false]);
      const done = await press(app, address, { token });
      const filled = await press(app, '/verify-email', { token, redirect_to: value });
      for (const { status, body } of [done, filled])
        expect([value, status, buttonOf(body)]).toEqual([value, 200, home]);
    }
  });

  it('with a NUL leads nowhere', async () => {
    const app = await testApp({ variables });
    const { email } = await registerUser(app);
    expect((await ask(app, email, 'https://app.example/cb\0')).status).toBe(422);
    const opened = await app.request('GET', '/verify-email?redirect_to=https://app.example/cb%00');
    expect(opened.body).not.toContain('redirect_to');
    const odd = await press(app, '/verify-email', { token: 'x', redirect_to: 'https://app.example/cb\0' });
    expect([odd.status, odd.body.includes('app.example/cb')]).toEqual([422, false]);
  });

  it('from before the list became shorter leads home', async () => {
    const before = await testApp({ variables });
    const { email } = await registerUser(before, { redirect_to: 'https://root.example/welcome' });
    const { databaseUrl, clock } = before;
    const app = await testApp({ variables: { APP_URL: home }, databaseUrl, clock });
    const link = new URL(/https:\/\/\S+#\S+/.exec(mailTo(before, email).text)?.[0] ?? '');
    const done = await press(app, link.pathname + link.search, { token: secretsTo(before, email).token });
    expect([done.status, buttonOf(done.body)]).toEqual([200, home]);
  });

  it('is refused where no list is configured', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    for (const value of ['https://auth.test/', 'https://auth.test/docs', home])
      expect((await ask(app, email, value)).status).toBe(422);
  });
});

describe('the links of mails', () => {
  const own = {
    LINK_VERIFY_EMAIL: 'https://app.example/verify?next={redirect_to}#token={token}',
    LINK_RESET_PASSWORD: 'https://app.example/reset#token={token}&next={redirect_to}',
    LINK_CONFIRM_EMAIL_CHANGE: 'https://app.example/confirm/{token}',
    LINK_UNDO_EMAIL_CHANGE: 'https://app.example/undo#token={token}',
  };
  const linkIn = (app: TestApp, email: string) => /https:\/\/app\.example\/\S+/.exec(mailTo(app, email).text)?.[0];

  it('lead to the pages that LINK_* name, with the token and the way on', async () => {
    const app = await testApp({ variables: { ...variables, ...own } });
    const redirect_to = `${home}/a?b=c&d#token={token}`;
    const next = encodeURIComponent(`${home}/a?b=c&d#token={token}`);
    const { email, access } = await registerUser(app, { redirect_to });
    const verify = secretsTo(app, email);
    expect(linkIn(app, email)).toBe(`https://app.example/verify?next=${next}#token=${verify.token}`);
    const body = { token: verify.token };
    expect((await app.request('POST', '/auth/verify-email', { body })).status).toBe(200);
    await app.request('POST', '/auth/forgot-password', { body: { email, redirect_to } });
    expect(linkIn(app, email)).toBe(`https://app.example/reset#token=${secretsTo(app, email).token}&next=${next}`);
    const newEmail = `next-${email}`;
    await app.request('POST', '/users/change-email', { token: access, body: { email: newEmail, redirect_to } });
    const confirm = linkIn(app, newEmail);
    expect(confirm).toMatch(/^https:\/\/app\.example\/confirm\/[\w-]{43}$/);
    const confirmed = { token: confirm?.split('/').at(-1) };
    expect((await app.request('POST', '/auth/confirm-email-change', { body: confirmed })).status).toBe(200);
    expect(linkIn(app, email)).toBe(`https://app.example/undo#token=${secretsTo(app, email).token}`);
  });

  it('leave the place of redirect_to empty where nobody asked for one', async () => {
    const app = await testApp({ variables: { ...variables, ...own } });
    const { email } = await registerUser(app);
    expect(linkIn(app, email)).toMatch(/^https:\/\/app\.example\/verify\?next=#token=[\w-]{43}$/);
  });

  it('lead to our pages for the kinds that have no template', async () => {
    const app = await testApp({ variables: { LINK_RESET_PASSWORD: own.LINK_RESET_PASSWORD } });
    const { email } = await registerUser(app);
    expect(mailTo(app, email).text).toMatch(/https:\/\/auth\.test\/verify-email#token=[\w-]{43}\n/);
    await app.request('POST', '/auth/forgot-password', { body: { email } });
    expect(linkIn(app, email)).toMatch(/^https:\/\/app\.example\/reset#token=[\w-]{43}&next=$/);
  });
});
