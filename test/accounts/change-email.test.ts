import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import type { Mail } from '../../src/mailer.ts';
import { mailTo, secretsTo } from '../support/mail.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const newEmail = () => `New-${crypto.randomUUID()}@example.com`;
const change = ({ request }: TestApp, token: string, email: string) =>
  request('POST', '/users/change-email', { token, body: { email } });
const confirm = ({ request }: TestApp, body: object) => request('POST', '/auth/confirm-email-change', { body });
const undo = ({ request }: TestApp, token: string) => request('POST', '/auth/undo-email-change', { body: { token } });
const login = async ({ request }: TestApp, identifier: string, secret = password) =>
  (await request('POST', '/auth/login', { body: { identifier, password: secret } })).status;

it('changes nothing before the new address is confirmed, and then tells the old one, which can take it back', async () => {
  const app = await testApp();
  const { email, access, refresh } = await registerUser(app);
  const next = newEmail();
  expect((await change(app, access, next)).status).toBe(202);
  expect(await login(app, next)).toBe(401);
  const { token } = secretsTo(app, next);
  expect(await confirm(app, { token })).toMatchObject({ status: 200, body: { message: 'Email changed' } });
  expect((await confirm(app, { token })).status).toBe(410);
  expect((await app.request('GET', '/users/me', { token: access })).body).toMatchObject({
    email: next,
    email_verified: true,
  });
  expect([await login(app, next), await login(app, email)]).toEqual([200, 401]);
  expect(mailTo(app, email).text).not.toContain(next);

  const link = secretsTo(app, email).token;
  app.clock.advance(6 * 86_400);
  expect(await undo(app, link)).toMatchObject({ status: 200 });
  expect((await undo(app, link)).status).toBe(410);
  // Whoever changed it may know the password.
  expect([await login(app, next), await login(app, email)]).toEqual([401, 401]);
  expect((await app.request('POST', '/auth/refresh', { body: { refresh_token: refresh } })).status).toBe(401);
  const resetToken = secretsTo(app, email).token;
  const body = { token: resetToken, password: 'a quieter pony on the stairs' };
  expect((await app.request('POST', '/auth/reset-password', { body })).status).toBe(200);
  expect(await login(app, email, 'a quieter pony on the stairs')).toBe(200);
});

it('takes the code at the new address, which runs out, and needs a fresh proof of the password to begin with', async () => {
  const app = await testApp();
  const { access, refresh } = await registerUser(app);
  const next = newEmail();
  await change(app, access, next);
  expect((await confirm(app, { email: next, code: secretsTo(app, next).code })).status).toBe(200);
  app.clock.advance(601);
  expect((await confirm(app, { email: next, code: secretsTo(app, next).code })).status).toBe(410);
  const later = await app.request('POST', '/auth/refresh', { body: { refresh_token: refresh } });
  expect(await change(app, later.body.access_token, newEmail())).toMatchObject({
    status: 401,
    body: { code: 'reauthentication_required' },
  });
});

it('does not tell whether an address belongs to somebody, but tells them', async () => {
  const app = await testApp();
  const [ann, bob] = [await registerUser(app), await registerUser(app)];
  const verification = { token: secretsTo(app, bob.email).token };
  await app.request('POST', '/auth/verify-email', { body: verification });
  app.mails.length = 0;
  const [free, taken] = [await change(app, ann.access, newEmail()), await change(app, ann.access, bob.email)];
  expect(taken).toMatchObject({ status: 202, body: free.body });
  expect(mailTo(app, bob.email).text).not.toMatch(/token/);
  expect(await login(app, bob.email)).toBe(200);
  // To change to the address that the account has is to change nothing.
  await change(app, bob.access, bob.email.toUpperCase());
  expect(app.mails).toHaveLength(2);
});

it('shows who asks the same of a free and a taken address, in their activity and export, while mails are held up too', async () => {
  let isAway = true;
  const mails: Mail[] = [];
  const send = async (mail: Mail) => {
    if (isAway) throw new Error('away');
    mails.push(mail);
  };
  const app = await testApp({ mailer: { kind: 'mailbox', send, close: async () => undefined } });
  const [verified, unverified] = [await registerUser(app), await registerUser(app)];
  await app.deps.db.execute(sql`update users set email_verified_at = now() where id = ${verified.id}`);
  const askers = [
    { ...(await registerUser(app)), next: newEmail() },
    { ...(await registerUser(app)), next: verified.email },
    { ...(await registerUser(app)), next: unverified.email },
  ];
  app.clock.advance(1);
  for (const { access, next } of askers) expect((await change(app, access, next)).status).toBe(202);
  const seen = async ({ access, next }: (typeof askers)[number]) => {
    const { body } = await app.request('GET', '/users/export', { token: access });
    const activity = (await app.request('GET', '/users/activity', { token: access })).body;
    const text = JSON.stringify({ activity: activity.items, pending: body.pending, told: body.activity });
    return text.replaceAll(next, 'the address').replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'an id');
  };
  const [free = '', ...taken] = await Promise.all(askers.map(seen));
  expect(free).toMatch(/email_change_requested.*"purpose":"change_email"/);
  expect(taken).toEqual([free, free]);
  // Each attempt to send the mail renews its link, and that of the one which nobody gets.
  app.clock.advance(600);
  await app.app.runScheduled();
  const [later, ...others] = await Promise.all(askers.map(seen));
  expect(later).not.toBe(free);
  expect(others).toEqual([later, later]);
  isAway = false;
  app.clock.advance(700);
  await app.app.runScheduled();
  const [sent, ...rest] = await Promise.all(askers.map(seen));
  expect(rest).toEqual([sent, sent]);
  expect(mails.map(({ to }) => to)).toEqual(expect.arrayContaining(askers.map(({ next }) => next)));
});

it('takes no address from an account, verified or not: its holder is told, and may choose a password', async () => {
  const app = await testApp();
  const [ann, other] = [await registerUser(app), await registerUser(app)];
  const [free, held] = [await change(app, ann.access, newEmail()), await change(app, ann.access, other.email)];
  expect(held).toMatchObject({ status: 202, body: free.body });
  const { subject, text } = mailTo(app, other.email);
  expect([subject, text]).toEqual([expect.stringContaining('Choose a password'), expect.stringContaining('already')]);
  const { token } = secretsTo(app, other.email);
  expect((await confirm(app, { token })).status).toBe(410);
  const me = async (access: string) => (await app.request('GET', '/users/me', { token: access })).body.email;
  expect([await me(ann.access), await me(other.access)]).toEqual([ann.email, other.email]);
});

it('takes no address either that an account has got since the mail was sent', async () => {
  const app = await testApp();
  const { access } = await registerUser(app);
  const next = newEmail();
  await change(app, access, next);
  const { token } = secretsTo(app, next);
  const other = await app.request('POST', '/auth/register', { body: { email: next, password } });
  expect(await confirm(app, { token })).toMatchObject({ status: 409, body: { code: 'identifier_taken' } });
  expect((await app.request('GET', '/users/me', { token: other.body.access_token })).body.email).toBe(next);
});

it('can be taken back although somebody registered with the old address meanwhile, whose sessions end', async () => {
  const app = await testApp();
  const { email, access } = await registerUser(app);
  const next = newEmail();
  await change(app, access, next);
  await confirm(app, { token: secretsTo(app, next).token });
  const link = secretsTo(app, email).token;
  const thief = await app.request('POST', '/auth/register', { body: { email, password } });
  expect((await undo(app, link)).status).toBe(200);
  expect((await app.request('GET', '/users/me', { token: thief.body.access_token })).status).toBe(401);
  const { refresh_token } = thief.body;
  expect((await app.request('POST', '/auth/refresh', { body: { refresh_token } })).status).toBe(401);
  const { token } = secretsTo(app, email);
  const reset = { token, password: 'a quieter pony on the stairs' };
  expect((await app.request('POST', '/auth/reset-password', { body: reset })).status).toBe(200);
  const { body } = await app.request('POST', '/auth/login', { body: { email, password: reset.password } });
  expect((await app.request('GET', '/users/me', { token: access })).status).toBe(401);
  expect(body.user.id).not.toBe(thief.body.user.id);
});

it('of two who confirm one address at once one gets it, and the other is told', async () => {
  const app = await testApp();
  const [ann, bob] = [await registerUser(app), await registerUser(app)];
  const next = newEmail();
  await change(app, ann.access, next);
  const first = secretsTo(app, next).token;
  await change(app, bob.access, next);
  const second = secretsTo(app, next).token;
  const answers = await Promise.all([first, second].map((token) => confirm(app, { token })));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
});

it('a link of before the change does not change it again, nor reset the password', async () => {
  const app = await testApp();
  const { email, access } = await registerUser(app);
  const { token: verification } = secretsTo(app, email);
  await app.request('POST', '/auth/forgot-password', { body: { email } });
  const { token: reset } = secretsTo(app, email);
  const [first, second] = [newEmail(), newEmail()];
  await change(app, access, first);
  await change(app, access, second);
  expect((await confirm(app, { token: secretsTo(app, second).token })).status).toBe(200);
  expect((await confirm(app, { token: secretsTo(app, first).token })).status).toBe(410);
  const body = { token: reset, password: 'a quieter pony on the stairs' };
  expect((await app.request('POST', '/auth/reset-password', { body })).status).toBe(410);
  expect((await app.request('POST', '/auth/verify-email', { body: { token: verification } })).status).toBe(410);
});

it('the first of several old addresses takes all changes back', async () => {
  const app = await testApp();
  const { email, access } = await registerUser(app);
  const [second, third] = [newEmail(), newEmail()];
  await change(app, access, second);
  await confirm(app, { token: secretsTo(app, second).token });
  app.clock.advance(1);
  await change(app, access, third);
  await confirm(app, { token: secretsTo(app, third).token });
  const [undoFirst, undoSecond] = [secretsTo(app, email).token, secretsTo(app, second).token];
  expect((await undo(app, undoFirst)).status).toBe(200);
  expect((await undo(app, undoSecond)).status).toBe(410);
});

it('works for an account without an address, which then has nobody to tell', async () => {
  const app = await testApp();
  const { body } = await app.request('POST', '/auth/register', { body: { username: 'ann', password } });
  const next = newEmail();
  await change(app, body.access_token, next);
  expect((await confirm(app, { token: secretsTo(app, next).token })).status).toBe(200);
  expect(app.mails).toHaveLength(1);
  expect(await login(app, next)).toBe(200);
});
