import { expect, it } from 'vitest';
import { mailTo, secretsIn, secretsTo } from '../support/mail.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const newPassword = 'a quieter pony on the stairs';
const forgot = ({ request }: TestApp, body: object) => request('POST', '/auth/forgot-password', { body });
const reset = ({ request }: TestApp, body: object) =>
  request('POST', '/auth/reset-password', { body: { password: newPassword, ...body } });
const login = async ({ request }: TestApp, identifier: string, secret: string) =>
  (await request('POST', '/auth/login', { body: { identifier, password: secret } })).status;

it('sets a new password once, ends every session, verifies the address and says so in a mail', async () => {
  const app = await testApp();
  const { email, access, refresh } = await registerUser(app, { username: 'ann' });
  expect((await forgot(app, { username: 'ANN' })).status).toBe(202);
  const { token } = secretsTo(app, email);
  expect(await reset(app, { token })).toMatchObject({ status: 200, body: { message: 'Password changed' } });
  expect(mailTo(app, email).subject).not.toBe(app.mails[1]?.subject);
  expect(app.mails).toHaveLength(3);
  expect(await reset(app, { token })).toMatchObject({ status: 410, body: { code: 'link_expired' } });
  expect((await app.request('GET', '/users/me', { token: access })).status).toBe(401);
  expect((await app.request('POST', '/auth/refresh', { body: { refresh_token: refresh } })).status).toBe(401);
  expect(await login(app, email, password)).toBe(401);
  const again = await app.request('POST', '/auth/login', { body: { email, password: newPassword } });
  expect(again.body.user).toMatchObject({ email_verified: true });
  const activity = await app.request('GET', '/users/activity', { token: again.body.access_token });
  const types = activity.body.items.map(({ type }: { type: string }) => type);
  expect(types).toEqual(expect.arrayContaining(['password_reset', 'password_reset_requested']));
});

it('takes the code of the mail with its address instead of the link', async () => {
  const app = await testApp();
  const { email } = await registerUser(app);
  await forgot(app, { email });
  const { code, token } = secretsTo(app, email);
  expect((await reset(app, { email, code })).status).toBe(200);
  expect((await reset(app, { token })).status).toBe(410);
  expect(await login(app, email, newPassword)).toBe(200);
});

it('answers the same for an unknown account, an unknown name and what is not an address, and sends nothing', async () => {
  const app = await testApp();
  const { email } = await registerUser(app);
  app.mails.length = 0;
  const shape = ({ status, headers, body }: Awaited<ReturnType<typeof forgot>>) => ({
    status,
    body,
    headers: [...headers].filter(([name]) => name !== 'x-request-id'),
  });
  const known = shape(await forgot(app, { email }));
  expect(app.mails).toHaveLength(1);
  for (const identifier of ['nobody@example.com', 'nobody', '@', 'a b@c']) {
    expect(shape(await forgot(app, { identifier }))).toMatchObject({ status: known.status, body: known.body });
  }
  expect(shape(await forgot(app, { email: 'somebody@example.com' })).headers.map(([name]) => name)).toEqual(
    known.headers.map(([name]) => name),
  );
  expect(app.mails).toHaveLength(1);
});

it('leaves the link good when the password is refused, and names why', async () => {
  const app = await testApp();
  const { email } = await registerUser(app);
  await forgot(app, { email });
  const { token } = secretsTo(app, email);
  const local = email.slice(0, email.indexOf('@'));
  for (const weak of ['short', 'password1', `${local} and more`]) {
    const { status, body } = await reset(app, { token, password: weak });
    expect([status, body.errors[0].path]).toEqual([422, 'password']);
  }
  expect((await reset(app, { token })).status).toBe(200);
});

it('an hour later the link has run out; of several good ones the first that is used ends the others', async () => {
  const app = await testApp();
  const { email } = await registerUser(app);
  await forgot(app, { email });
  const { token: old } = secretsTo(app, email);
  app.clock.advance(3601);
  expect((await reset(app, { token: old })).status).toBe(410);
  await forgot(app, { email });
  await forgot(app, { email });
  const [first, second] = app.mails.slice(-2).map((mail) => secretsIn(mail).token);
  expect((await reset(app, { token: first })).status).toBe(200);
  expect((await reset(app, { token: second })).status).toBe(410);
});

it('of many resets with one link at once, one wins, and its password is the one', async () => {
  const app = await testApp();
  const { email } = await registerUser(app);
  await forgot(app, { email });
  const { token } = secretsTo(app, email);
  const passwords = Array.from({ length: 8 }, (_, n) => `the ${n}. password of many`);
  const answers = await Promise.all(passwords.map((secret) => reset(app, { token, password: secret })));
  const won = answers.findIndex(({ status }) => status === 200);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(7).fill(410)]);
  expect(await login(app, email, passwords[won] ?? '')).toBe(200);
});

it('is of no use to a disabled account, and a token for something else is none', async () => {
  const app = await testApp();
  const { email } = await registerUser(app);
  const { token: verification } = secretsTo(app, email);
  expect((await reset(app, { token: verification })).status).toBe(410);
  await forgot(app, { email });
  const { token } = secretsTo(app, email);
  await app.deps.db.execute(`update users set status = 'disabled'`);
  expect((await reset(app, { token })).status).toBe(410);
  await forgot(app, { email });
  expect(app.mails).toHaveLength(2);
});

it('tells which field is wrong', async () => {
  const app = await testApp();
  const paths = async (body: object) => (await reset(app, body)).body.errors?.map(({ path }: { path: string }) => path);
  expect(await paths({})).toEqual(['token']);
  expect(await paths({ token: 'x', code: 'y' })).toEqual(['token']);
  expect(await paths({ email: 'ann@example.com' })).toEqual(['token']);
  expect(await paths({ token: 'x'.repeat(300) })).toEqual(['token']);
  expect((await reset(app, { token: 'x' })).status).toBe(410);
  expect((await reset(app, { email: 'ann@example.com', code: '????????' })).status).toBe(410);
});
