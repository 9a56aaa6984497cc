import { describe, expect, it } from 'vitest';
import { mailTo, secretsIn, secretsTo } from '../support/mail.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const otherPassword = 'a quieter pony on the stairs';
const newEmail = () => `User-${crypto.randomUUID()}@example.com`;
const required = { variables: { REQUIRE_EMAIL_VERIFICATION: 'true', MAILBOX_URL: 'http://mailbox.test' } };

const register = ({ request }: TestApp, fields: object) =>
  request('POST', '/auth/register', { body: { password, ...fields } });
const verify = ({ request }: TestApp, body: object) => request('POST', '/auth/verify-email', { body });
const login = async ({ request }: TestApp, identifier: string, secret = password) =>
  (await request('POST', '/auth/login', { body: { identifier, password: secret } })).status;

describe('where addresses need not be verified', () => {
  it('registering signs in, and the mailed link verifies the address once', async () => {
    const app = await testApp();
    const { email, access } = await registerUser(app);
    const { token } = secretsTo(app, email);
    expect((await app.request('GET', '/users/me', { token: access })).body).toMatchObject({ email_verified: false });
    const before = await app.request('GET', '/users/profile', { token: access });
    await app.request('POST', '/auth/resend-verification', { body: { email } });
    const another = secretsTo(app, email);
    expect(await verify(app, { token })).toMatchObject({ status: 200, body: { message: 'Email address confirmed' } });
    for (const again of [token, another.token])
      expect(await verify(app, { token: again })).toMatchObject({
        status: 200,
        body: { message: 'Your email address is already confirmed' },
      });
    expect((await verify(app, { email, code: another.code })).status).toBe(410);
    expect((await app.request('GET', '/users/me', { token: access })).body).toMatchObject({ email_verified: true });
    const after = await app.request('GET', '/users/profile', { token: access });
    expect(after.headers.get('ETag')).not.toBe(before.headers.get('ETag'));
    expect(await login(app, email)).toBe(200);
  });

  it('the link runs out after a day, and another can be asked for as often as the limit says', async () => {
    const app = await testApp({ variables: { LIMIT_MAIL_ACCOUNT: '2/3600' } });
    const { email } = await registerUser(app);
    const first = secretsTo(app, email);
    app.clock.advance(86_401);
    expect((await verify(app, first.token === '' ? {} : { token: first.token })).status).toBe(410);
    const again = () => app.request('POST', '/auth/resend-verification', { body: { email } });
    expect((await again()).status).toBe(202);
    expect((await again()).status).toBe(202);
    expect((await again()).status).toBe(429);
    expect(app.mails).toHaveLength(3);
    expect(await verify(app, { token: secretsTo(app, email).token })).toMatchObject({ status: 200 });
    app.clock.advance(3601);
    await again();
    expect(app.mails).toHaveLength(3);
  });

  it('a username alone gets no mail', async () => {
    const app = await testApp();
    await register(app, { username: 'ann' });
    expect(app.mails).toEqual([]);
  });
});

describe('the code of a mail', () => {
  it('works with its address, however it is typed, and only once', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    const { code } = secretsTo(app, email);
    const typed = ` ${code.toLowerCase().replace('-', ' ')} `;
    expect((await verify(app, { email: email.toUpperCase(), code: typed })).status).toBe(200);
    expect((await verify(app, { email, code })).status).toBe(410);
  });

  it('is good for ten minutes, and for its own address', async () => {
    const app = await testApp();
    const [ann, bob] = [await registerUser(app), await registerUser(app)];
    const { code, token } = secretsTo(app, ann.email);
    expect((await verify(app, { email: bob.email, code })).status).toBe(410);
    app.clock.advance(601);
    expect((await verify(app, { email: ann.email, code })).status).toBe(410);
    expect((await verify(app, { token })).status).toBe(200);
  });

  it('can be tried ten times, also by many at once; the link stays good, and so is the code of another mail', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    const { code, token } = secretsTo(app, email);
    const wrong = code.startsWith('0') ? '1111-1111' : '0000-0000';
    app.clock.advance(1);
    const tries = await Promise.all(Array.from({ length: 10 }, () => verify(app, { email, code: wrong })));
    expect(new Set(tries.map(({ status }) => status))).toEqual(new Set([410]));
    expect((await verify(app, { email, code })).status).toBe(410);
    const other = await registerUser(app);
    expect((await verify(app, { email: other.email, code: secretsTo(app, other.email).code })).status).toBe(200);
    app.clock.advance(1);
    await app.request('POST', '/auth/resend-verification', { body: { email } });
    app.clock.advance(1);
    expect((await verify(app, { email, code: secretsTo(app, email).code })).status).toBe(200);
    expect((await verify(app, { token })).body.message).toContain('already');
  });

  it('is not used up by wrong codes of a stranger, at whatever address, for the browser that asked for it', async () => {
    const app = await testApp({ variables: { LIMIT_PROOF_ADDRESS: '10000/60' } });
    const { email } = await registerUser(app);
    app.clock.advance(1);
    const asked = await app.request('POST', '/auth/resend-verification', { body: { email } });
    const [Cookie = ''] = asked.headers.get('Set-Cookie')?.split(';') ?? [];
    const { code } = secretsTo(app, email);
    app.clock.advance(1);
    const tryIt = (typed: string, address: string, headers = {}) =>
      app.request('POST', '/auth/verify-email', { body: { email, code: typed }, address, headers });
    for (let n = 0; n < 12; n += 1) await tryIt('0000-0000', '192.0.2.1');
    expect((await tryIt(code, '192.0.2.1')).status).toBe(410);
    const forged = Cookie.replace(/=.{8}/, '=00000000');
    expect((await tryIt(code, '192.0.2.1', { Cookie: forged })).status).toBe(410);
    // Another address has tries of its own; and so has the browser that asked, at the stranger's.
    expect((await tryIt('0000-0000', '198.51.100.7')).status).toBe(410);
    expect((await tryIt(code, '192.0.2.1', { Cookie })).status).toBe(200);
  });

  it('is used up by strangers from very many addresses together, but not for the browser that asked for it', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    app.clock.advance(1);
    const asked = await app.request('POST', '/auth/resend-verification', { body: { email } });
    const [Cookie = ''] = asked.headers.get('Set-Cookie')?.split(';') ?? [];
    app.clock.advance(1);
    const { code } = secretsTo(app, email);
    const tryIt = (address: string, headers = {}) =>
      app.request('POST', '/auth/verify-email', { body: { email, code }, address, headers });
    await app.request('POST', '/auth/verify-email', { body: { email, code: '0000-0000' }, address: '203.0.113.1' });
    await app.deps.db.execute('update code_attempts set attempts = 1000');
    expect((await tryIt('198.51.100.1')).status).toBe(410);
    expect((await tryIt('198.51.100.1', { Cookie })).status).toBe(200);
  });

  it('can be tried again ten minutes later', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    const tryOnce = (code: string) => verify(app, { email, code });
    app.clock.advance(1);
    for (let times = 0; times < 10; times += 1) await tryOnce('0000-0000');
    app.clock.advance(601);
    // A code that was sent later lives longer than the tries of an earlier one count.
    await app.deps.db.execute("update one_time_tokens set code_expires_at = now() + interval '1 day'");
    expect((await tryOnce(secretsTo(app, email).code)).status).toBe(200);
  });
});

describe('where addresses have to be verified first', () => {
  it('a new and a known address get the same answer, and the mail tells the difference', async () => {
    const app = await testApp(required);
    const email = newEmail();
    const first = await register(app, { email, username: 'Ann', name: 'Ann', locale: 'en' });
    expect(first).toMatchObject({ status: 202, body: { message: expect.any(String) } });
    expect(await login(app, email)).toBe(401);
    const { token } = secretsTo(app, email);
    expect((await verify(app, { token })).status).toBe(200);
    expect(await login(app, email)).toBe(200);
    expect(await login(app, 'ann')).toBe(200);

    const second = await register(app, { email: email.toLowerCase(), password: otherPassword });
    expect(second).toMatchObject({ status: 202, body: first.body });
    expect([...second.headers.keys()]).toEqual([...first.headers.keys()]);
    expect(mailTo(app, email)).not.toEqual(expect.objectContaining({ text: expect.stringContaining('token=') }));
    expect(app.mails).toHaveLength(2);
    expect(await login(app, email, otherPassword)).toBe(401);
  });

  it('a taken username is told, since usernames are public; an address is needed', async () => {
    const app = await testApp(required);
    const [email, other] = [newEmail(), newEmail()];
    await register(app, { email, username: 'ann' });
    // Nobody has it before the address is verified.
    await register(app, { email: other, username: 'ann' });
    expect((await verify(app, { token: secretsTo(app, other).token })).status).toBe(200);
    const late = await verify(app, { token: secretsTo(app, email).token });
    expect(late).toMatchObject({ status: 409, body: { errors: [{ path: 'username' }] } });
    expect((await register(app, { email: newEmail(), username: 'ANN' })).body).toMatchObject({
      code: 'identifier_taken',
      errors: [{ path: 'username' }],
    });
    expect((await register(app, { username: 'bob' })).body).toMatchObject({ errors: [{ path: 'email' }] });
  });

  it('what an attacker registered with the address of another dies when the other registers and verifies', async () => {
    const app = await testApp(required);
    const email = newEmail();
    await register(app, { email, password: 'a password of the attacker', username: 'mallory' });
    const attackers = secretsTo(app, email);
    await register(app, { email, name: 'Ann' });
    await register(app, { email, password: 'a password of the attacker', username: 'mallory' });
    const owners = app.mails[1] ?? mailTo(app, email);
    expect((await verify(app, { token: secretsIn(owners).token })).status).toBe(200);
    expect(await login(app, email)).toBe(200);
    expect(await login(app, email, 'a password of the attacker')).toBe(401);
    expect(await login(app, 'mallory', 'a password of the attacker')).toBe(401);
    expect((await verify(app, { token: attackers.token })).status).toBe(410);
    expect((await verify(app, { token: secretsTo(app, email).token })).status).toBe(410);
  });

  it('and dies too when the other asks for a new password instead', async () => {
    const app = await testApp(required);
    const email = newEmail();
    await register(app, { email, password: 'a password of the attacker', username: 'mallory', name: 'Mallory' });
    const attackers = secretsTo(app, email);
    await app.request('POST', '/auth/forgot-password', { body: { email } });
    const { token } = secretsTo(app, email);
    expect((await app.request('POST', '/auth/reset-password', { body: { token, password } })).status).toBe(200);
    const { body } = await app.request('POST', '/auth/login', { body: { email, password } });
    expect(body.user).toMatchObject({ email_verified: true, username: null, name: null });
    expect(await login(app, email, 'a password of the attacker')).toBe(401);
    expect((await verify(app, { token: attackers.token })).status).toBe(410);
  });

  it('a registration changes nothing of an account that never verified its address: its holder chooses a password', async () => {
    const lax = await testApp();
    const attacker = await registerUser(lax, { username: 'mallory', name: 'Mallory' });
    const strict = await testApp({ ...required, databaseUrl: lax.databaseUrl, clock: lax.clock });
    const { email } = attacker;
    await register(strict, { email, password: otherPassword, name: 'Ann' });
    const { token } = secretsTo(strict, email);
    expect((await verify(strict, { token })).status).toBe(410);
    const chosen = 'chosen by the holder';
    const reset = { token, password: chosen };
    expect((await strict.request('POST', '/auth/reset-password', { body: reset })).status).toBe(200);
    expect([await login(strict, email), await login(strict, email, otherPassword)]).toEqual([401, 401]);
    const me = await strict.request('POST', '/auth/login', { body: { email, password: chosen } });
    expect(me.body.user).toMatchObject({ id: attacker.id, name: 'Mallory', email_verified: true });
    const refreshed = await strict.request('POST', '/auth/refresh', { body: { refresh_token: attacker.refresh } });
    expect(refreshed.status).toBe(401);
    expect((await strict.request('GET', '/users/me', { token: attacker.access })).status).toBe(401);
    expect((await verify(strict, { token: secretsTo(lax, email).token })).status).toBe(410);
  });

  it('the mail can be sent again while the registration waits, and its link takes what was registered along', async () => {
    const app = await testApp(required);
    const email = newEmail();
    await register(app, { email, name: 'Ann' });
    await app.request('POST', '/auth/resend-verification', { body: { email } });
    await app.request('POST', '/auth/resend-verification', { body: { email: newEmail() } });
    expect(app.mails).toHaveLength(2);
    expect((await verify(app, { email, code: secretsTo(app, email).code })).status).toBe(200);
    expect(await login(app, email)).toBe(200);
    expect((await verify(app, { token: secretsIn(app.mails[0] ?? mailTo(app, email)).token })).status).toBe(410);
  });

  it('of parallel confirmations of one address one wins', async () => {
    const app = await testApp(required);
    const email = newEmail();
    for (const secret of [password, otherPassword]) await register(app, { email, password: secret });
    const tokens = app.mails.map((mail) => secretsIn(mail).token);
    const answers = await Promise.all([...tokens, ...tokens].map((token) => verify(app, { token })));
    expect(answers.filter(({ body }) => body.message === 'Email address confirmed')).toHaveLength(1);
    expect(answers.every(({ status }) => [200, 409, 410].includes(status))).toBe(true);
    const outcomes = [await login(app, email), await login(app, email, otherPassword)];
    expect(outcomes.toSorted()).toEqual([200, 401]);
  });
});
