import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { importUsers } from '../../src/accounts/import.ts';
import { importedUser } from '../../src/accounts/import-schema.ts';
import { lockoutNotice, lockoutNoticeTask } from '../../src/accounts/lockout-notice.ts';
import { blindIndexes } from '../../src/crypto/blind-index.ts';
import { insertOutbox } from '../../src/outbox/store.ts';
import { secretsTo } from '../support/mail.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

/** bcrypt of the password, as another system made it. */
const bcryptOf = '$2b$04$EDc5.7Z4bzW71L8/.Bj5ouBZLORnowqf/3RMZ2RueJN.kdO74rV4a';
const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const signIn = ({ request }: TestApp, identifier: string, address: string, headers: Record<string, string> = {}) =>
  request('POST', '/auth/login', { body: { identifier, password }, address, headers });
const noticesIn = ({ mails }: TestApp) => mails.filter(({ subject }) => /^New sign-in/.test(subject));
const outboxOf = async ({ deps }: TestApp) => {
  const rows = z.object({ rows: z.array(z.object({ type: z.string(), attempts: z.int() })) });
  return rows.parse(await deps.db.execute('select type, attempts from outbox')).rows;
};

describe('a sign-in from a new device', () => {
  it('is told to the owner, but not where a session came from the same network and browser before', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    // As the registration came: the same /24 and no user agent.
    await signIn(app, email, '192.0.2.200');
    expect(noticesIn(app)).toEqual([]);
    const { status } = await signIn(app, email, '198.51.100.7', { 'User-Agent': browser });
    expect(status).toBe(200);
    expect(noticesIn(app)).toMatchObject([{ to: email }]);
    expect(noticesIn(app)[0]?.text).toMatch(/198\.51\.100\.0\/24[\s\S]*Firefox on Linux/);
    await signIn(app, email, '198.51.100.8', { 'User-Agent': browser });
    expect(noticesIn(app)).toHaveLength(1);
    await signIn(app, email, '198.51.100.8', { 'User-Agent': 'curl/8' });
    await signIn(app, email, '203.0.113.8', { 'User-Agent': browser });
    await signIn(app, email, '192.0.2.1', { 'User-Agent': browser });
    await signIn(app, email, '198.51.100.8');
    expect(noticesIn(app)).toHaveLength(5);
    expect(await outboxOf(app)).toEqual([]);
  });

  it('is no news where the device is known, wherever it is, unless it is known to another account', async () => {
    const app = await testApp();
    const [ann, bob] = [await registerUser(app), await registerUser(app)];
    const { headers } = await signIn(app, ann.email, '192.0.2.1');
    const device = { 'X-Device-Token': headers.get('X-Device-Token') ?? '' };
    await signIn(app, ann.email, '203.0.113.8', { ...device, 'User-Agent': browser });
    expect(noticesIn(app)).toEqual([]);
    await signIn(app, bob.email, '203.0.113.8', { ...device, 'User-Agent': browser });
    expect(noticesIn(app)).toMatchObject([{ to: bob.email }]);
  });

  it('is no news where it is the first one of an account that came from elsewhere, however old that is', async () => {
    const app = await testApp();
    const rules = importedUser({ pepperIds: [], roles: [], now: app.clock.now() });
    const people = ['hashed', 'mailed'].map((name) => ({
      email: `${name}@example.com`,
      email_verified: true,
      created_at: '2019-05-01T12:00:00Z',
      ...(name === 'hashed' ? { password_hash: bcryptOf } : {}),
    }));
    await importUsers(app.deps, z.array(rules).parse(people), false);
    await app.request('POST', '/auth/forgot-password', { body: { email: 'mailed@example.com' } });
    const { token } = secretsTo(app, 'mailed@example.com');
    expect((await app.request('POST', '/auth/reset-password', { body: { token, password } })).status).toBe(200);
    for (const { email } of people) {
      expect((await signIn(app, email, '203.0.113.8')).status).toBe(200);
      expect(noticesIn(app)).toEqual([]);
      expect((await signIn(app, email, '198.51.100.7')).status).toBe(200);
      expect(noticesIn(app)).toMatchObject([{ to: email }]);
      app.mails.length = 0;
    }
  });

  it('is told where the last session has gone long ago', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    await app.deps.db.execute('delete from sessions');
    app.clock.advance(90 * 86_400);
    expect((await signIn(app, email, '203.0.113.8')).status).toBe(200);
    expect(noticesIn(app)).toMatchObject([{ to: email }]);
  });

  it('is told to nobody where it failed, or there is no address to tell', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    await app.request('POST', '/auth/register', { body: { username: 'ann', password } });
    await app.request('POST', '/auth/login', { body: { email, password: 'wrong password' }, address: '203.0.113.8' });
    expect((await signIn(app, 'ann', '203.0.113.8')).status).toBe(200);
    expect(noticesIn(app)).toEqual([]);
    expect(await outboxOf(app)).toEqual([]);
  });

  it('fills no mailbox: ten places in an hour are told of, then the hour has to pass', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    for (let index = 0; index < 30; index += 1) await signIn(app, email, `203.0.${index}.1`);
    // The registration was the first of the ten places.
    expect(noticesIn(app)).toHaveLength(9);
    app.clock.advance(3601);
    await signIn(app, email, '198.51.100.1');
    expect(noticesIn(app)).toHaveLength(10);
  });

  it('is told later where no mail can be sent, and does not keep anybody from signing in', async () => {
    let isDown = true;
    const sent: string[] = [];
    const app = await testApp({
      mailer: {
        kind: 'mailbox',
        send: async (_, id) => {
          if (isDown) throw new Error('down');
          sent.push(id);
        },
        close: async () => undefined,
      },
    });
    const { email } = await registerUser(app);
    await app.deps.db.execute('delete from outbox');
    expect((await signIn(app, email, '203.0.113.8')).status).toBe(200);
    expect(await outboxOf(app)).toEqual([{ type: 'new_sign_in', attempts: 1 }]);
    isDown = false;
    app.clock.advance(120);
    await app.app.runScheduled();
    await app.app.runScheduled();
    expect(sent).toHaveLength(1);
    expect(await outboxOf(app)).toEqual([]);
  });
});

describe('the notice of a lock', () => {
  const origin = { address: '198.51.100.7', userAgent: browser };

  it('is written once, by however many relays it is taken up at once', async () => {
    const app = await testApp();
    const { email } = await registerUser(app);
    const emailIndexes = await blindIndexes(app.deps.keyring, 'email', email);
    const row = await lockoutNoticeTask(app.deps, { emailIndexes }, origin);
    await insertOutbox(app.deps.db, [row]);
    const carryOut = lockoutNotice(app.deps);
    const { openPayload } = await import('../../src/outbox/outbox.ts');
    const payload = await openPayload(app.deps, row);
    const mailed = (await Promise.all([1, 2, 3, 4].map(() => carryOut(payload, row)))).flat();
    expect(mailed).toHaveLength(1);
    expect(await outboxOf(app)).toEqual([{ type: 'account_locked', attempts: 0 }]);
    const { rows } = z
      .object({ rows: z.array(z.unknown()) })
      .parse(await app.deps.db.execute("select address, user_agent from audit_log where type = 'account_locked'"));
    expect(rows).toEqual([{ address: '198.51.100.0/24', user_agent: browser }]);
  });

  it('is carried out by the scheduled work where nobody came to it, and tells nothing while it waits', async () => {
    const app = await testApp();
    const { email, access } = await registerUser(app);
    await app.request('POST', '/auth/register', { body: { username: 'locked-ann', password } });
    for (const lookup of [
      { emailIndexes: await blindIndexes(app.deps.keyring, 'email', email) },
      { usernameKey: 'locked-ann' },
      { usernameKey: 'nobody' },
    ]) {
      await insertOutbox(app.deps.db, [await lockoutNoticeTask(app.deps, lookup, origin)]);
    }
    app.mails.length = 0;
    expect(JSON.stringify(await app.deps.db.execute('select * from outbox'))).not.toMatch(/locked-ann|198\.51/);
    await app.app.runScheduled();
    expect(app.mails).toEqual([]);
    app.clock.advance(60);
    await app.app.runScheduled();
    expect(app.mails).toMatchObject([{ to: email, subject: expect.stringContaining('failed sign-ins') }]);
    expect(await outboxOf(app)).toEqual([]);
    const { body } = await app.request('GET', '/users/activity', { token: access });
    expect(body.items[0]).toMatchObject({ type: 'account_locked', result: 'success', address: '198.51.100.0/24' });
  });
});
