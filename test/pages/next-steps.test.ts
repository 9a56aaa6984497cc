import { describe, expect, it } from 'vitest';
import { wrapStatements } from '../../src/db/wrapped-session.ts';
import { mailTo, secretsTo } from '../support/mail.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const home = 'https://app.example/';
const variables = {
  APP_URL: home,
  SERVICE_NAME: 'Example',
  LIMIT_PROOF_ADDRESS: '10000/60',
  LIMIT_MAIL_ADDRESS: '10000/60',
};
const required = { ...variables, REQUIRE_EMAIL_VERIFICATION: 'true', MAILBOX_URL: 'http://mailbox.test' };
const newPassword = 'a quieter pony on the stairs';
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

/** A database that fails at each statement. */
const broken = (db: TestApp['deps']['db']) =>
  wrapStatements(db, () => Promise.reject(new TypeError('broken on purpose')));

const press = ({ request }: TestApp, path: string, fields: Record<string, string>) =>
  request('POST', path, { body: new URLSearchParams(fields).toString(), headers: form });
const newEmail = () => `user-${crypto.randomUUID()}@example.com`;

/** What a person can do next on a page: the button that leads away, the forms that ask for a mail, the form itself. */
function stepsOf(body: string): string[] {
  const away = [...body.matchAll(/<a class="button" href="([^"]+)">([^<]+)<\/a>/g)];
  const forms = [...body.matchAll(/<form method="post"(?: action="([^"]+)")?>/g)];
  return [
    ...away.map(([, href, label]) => `${label} -> ${href}`),
    ...forms.map(([, action]) => (action === undefined ? 'again' : `ask at ${action}`)),
  ];
}
const onward = [`Continue to Example -> ${home}`];
const back = [`Back to Example -> ${home}`];

interface Case {
  readonly page: string;
  /** Brings about the mail and gives the fields of the form. */
  readonly prepare: (app: TestApp) => Promise<Record<string, string>>;
  readonly variables?: Record<string, string>;
  readonly done: RegExp;
  /** On the page that a second press of the same button shows. */
  readonly again: { readonly status: number; readonly text: RegExp; readonly steps: readonly string[] };
  /** Where a link that never was leads. */
  readonly never: readonly string[];
}

const used = (text: RegExp, steps: readonly string[]) => ({ status: 410, text, steps });

async function changed(app: TestApp): Promise<{ email: string; next: string }> {
  const { email, access } = await registerUser(app);
  const next = newEmail();
  await app.request('POST', '/users/change-email', { token: access, body: { email: next } });
  return { email, next };
}

const cases: readonly Case[] = [
  {
    page: '/verify-email',
    prepare: async (app) => ({ token: secretsTo(app, (await registerUser(app)).email).token }),
    done: /is confirmed/,
    again: { status: 200, text: /already confirmed/, steps: onward },
    never: ['ask at resend-verification'],
  },
  {
    page: '/confirm-registration',
    variables: required,
    prepare: async (app) => {
      const email = newEmail();
      await app.request('POST', '/auth/register', { body: { email, password } });
      return { token: secretsTo(app, email).token };
    },
    done: /Your account is ready/,
    again: { status: 200, text: /already confirmed/, steps: onward },
    never: ['ask at resend-verification'],
  },
  {
    page: '/reset-password',
    prepare: async (app) => {
      const { email } = await registerUser(app);
      await app.request('POST', '/auth/forgot-password', { body: { email } });
      return { token: secretsTo(app, email).token, password: newPassword };
    },
    done: /new password is set/,
    again: used(/already been used/, ['ask at forgot-password']),
    never: ['ask at forgot-password'],
  },
  {
    page: '/choose-password',
    variables: required,
    prepare: async (app) => {
      const lax = await testApp({ databaseUrl: app.databaseUrl, clock: app.clock });
      const { email } = await registerUser(lax);
      await app.request('POST', '/auth/register', { body: { email, password } });
      return { token: secretsTo(app, email).token, password: newPassword };
    },
    done: /password is saved/,
    again: used(/already been used/, ['ask at forgot-password']),
    never: ['ask at forgot-password'],
  },
  {
    page: '/confirm-email-change',
    prepare: async (app) => ({ token: secretsTo(app, (await changed(app)).next).token }),
    done: /address has been changed/,
    again: used(/Start the change again/, back),
    never: back,
  },
  {
    page: '/undo-email-change',
    prepare: async (app) => {
      const { email, next } = await changed(app);
      const body = { token: secretsTo(app, next).token };
      await app.request('POST', '/auth/confirm-email-change', { body });
      return { token: secretsTo(app, email).token };
    },
    done: /old email address is back/,
    again: used(/already been used/, ['ask at forgot-password']),
    never: ['ask at forgot-password'],
  },
];

describe.each(cases)('the page $page', ({ page, prepare, variables: own = variables, done, again, never }) => {
  it('has the next step as a button once it is done, and on a second press', async () => {
    const app = await testApp({ variables: own });
    const fields = await prepare(app);
    const first = await press(app, page, fields);
    expect([first.status, first.body, stepsOf(first.body)]).toEqual([200, expect.stringMatching(done), onward]);
    const second = await press(app, page, fields);
    expect([second.status, second.body]).toEqual([again.status, expect.stringMatching(again.text)]);
    expect(stepsOf(second.body)).toEqual(again.steps);
  });

  it('has the next step as a button where the link is wrong, incomplete, limited, or the service fails', async () => {
    const app = await testApp({ variables: { ...own, LIMIT_PROOF_ADDRESS: '3/60' } });
    const fields = { token: 'x'.repeat(43), password: newPassword };
    const wrong = await press(app, page, fields);
    expect([wrong.status, stepsOf(wrong.body)]).toEqual([410, never]);
    const empty = await press(app, page, {});
    expect([empty.status, stepsOf(empty.body)]).toEqual([422, ['again']]);
    const odd = await press(app, page, { ...fields, token: 'x'.repeat(600) });
    expect([odd.status, stepsOf(odd.body), odd.body]).toEqual([
      422,
      ['again'],
      expect.stringContaining('Open the link'),
    ]);
    await press(app, page, fields);
    const limited = await press(app, page, fields);
    expect([limited.status, stepsOf(limited.body)]).toEqual([429, ['again']]);
    const away = await testApp({ variables: own, wrapDatabase: broken });
    const failed = await press(away, page, fields);
    expect([failed.status, stepsOf(failed.body)]).toEqual([500, ['again']]);
    expect(failed.body).toContain('on our side');
  });
});

describe('a page that asks for another mail', () => {
  it.each(['/resend-verification', '/forgot-password'])('%s leads back to the application', async (page) => {
    const app = await testApp({ variables });
    const asked = await press(app, page, { email: newEmail() });
    expect([asked.status, stepsOf(asked.body)]).toEqual([200, back]);
    const odd = await press(app, page, { email: 'nobody' });
    expect([odd.status, stepsOf(odd.body)]).toEqual([422, [`ask at ${page.slice(1)}`]]);
    const long = await press(app, page, { email: `${'x'.repeat(600)}@example.com` });
    expect([long.status, stepsOf(long.body)]).toEqual([422, [`ask at ${page.slice(1)}`]]);
    expect(long.body).toContain('valid email address');
  });

  it('takes the way on along from the page of an expired link to the mail and its page', async () => {
    const app = await testApp({ variables });
    const { email } = await registerUser(app);
    const redirect_to = `${home}welcome`;
    const expired = await press(app, '/verify-email', { token: 'x'.repeat(43), redirect_to });
    expect(expired.body).toContain(`name="redirect_to" value="${redirect_to}"`);
    await press(app, '/resend-verification', { email, redirect_to });
    const link = new URL(/https:\/\/\S+#\S+/.exec(mailTo(app, email).text)?.[0] ?? '');
    const done = await press(app, link.pathname + link.search, { token: secretsTo(app, email).token });
    expect(stepsOf(done.body)).toEqual([`Continue to Example -> ${redirect_to}`]);
  });
});

describe('a page that cannot do what its button says', () => {
  it('leads back to the application where another account has the address', async () => {
    const app = await testApp({ variables });
    const { next } = await changed(app);
    await app.request('POST', '/auth/register', { body: { email: next, password } });
    const taken = app.mails.filter(({ to }) => to === next);
    const [first] = taken;
    const token = /token=([\w-]{43})/.exec(first?.text ?? '')?.[1] ?? '';
    await press(app, '/verify-email', { token: secretsTo(app, next).token });
    const refused = await press(app, '/confirm-email-change', { token });
    expect([refused.status, stepsOf(refused.body)]).toEqual([409, back]);
  });
});

describe('a page of a service that knows no application', () => {
  it('ends with a sentence in place of a button', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    const done = await press(app, '/verify-email', { token: secretsTo(app, email).token });
    expect([stepsOf(done.body), done.body]).toEqual([[], expect.stringContaining('You can close this page')]);
  });
});
