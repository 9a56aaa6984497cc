import { describe, expect, it } from 'vitest';
import { registerAdmin } from '../support/admin.ts';
import { secretsTo } from '../support/mail.ts';
import { createClock, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { login } from './sessions-under-test.ts';
import { unreliable } from './unreliable-store.ts';

/** Two processes of one service over a store that loses what the test says. */
async function twoProcesses() {
  const clock = createClock();
  const store = unreliable(clock);
  const one = await testApp({ clock, kv: store.kv });
  const two = await testApp({ clock, kv: store.kv, databaseUrl: one.databaseUrl });
  const user = await registerUser(one);
  for (const app of [one, two]) await verify(app, user.access);
  clock.advance(121);
  return { clock, store, one, two, user };
}

const verify = async ({ request }: TestApp, token: string) =>
  (await request('GET', '/auth/verify-token', { token })).status;

/** Does something while the store takes no marks, and has both processes do their scheduled work once and in each minute. */
async function withLostMarks(
  { clock, store, one, two }: Awaited<ReturnType<typeof twoProcesses>>,
  change: () => Promise<{ readonly status: number }>,
  tokens: readonly string[],
) {
  for (const token of tokens) expect([await verify(one, token), await verify(two, token)]).toEqual([200, 200]);
  store.fail('writes');
  expect((await change()).status).toBeLessThan(300);
  store.fail('nothing');
  for (let minutes = 0; minutes < 16; minutes += 3) {
    for (const app of [one, two]) await app.app.runScheduled();
    for (const token of tokens) expect([await verify(one, token), await verify(two, token)]).toEqual([401, 401]);
    clock.advance(180);
  }
}

/** A session whose newest access token came from a proof of the password, long after its row last changed. */
async function provenLongAfter({ clock, one, user }: Awaited<ReturnType<typeof twoProcesses>>): Promise<string> {
  const { access } = await login(one, user.email);
  clock.advance(14 * 60);
  const { status, body } = await one.request('POST', '/auth/reauthenticate', { token: access, body: { password } });
  expect(status).toBe(200);
  clock.advance(6 * 60);
  return body.access_token;
}

describe('a mark that was lost is there again within a minute, and as long as tokens live,', () => {
  it('where an account was deleted', async () => {
    const all = await twoProcesses();
    const admin = await registerAdmin(all.one);
    await registerAdmin(all.one);
    all.clock.advance(121);
    const { access } = await login(all.one, admin.email);
    all.clock.advance(70);
    const remove = () => all.one.request('DELETE', '/users/delete-account', { token: access, body: { password } });
    await withLostMarks(all, remove, [access]);
  });

  it('where a session ended whose newest token came from a proof of the password', async () => {
    const all = await twoProcesses();
    const token = await provenLongAfter(all);
    await withLostMarks(all, () => all.one.request('POST', '/auth/logout', { token }), [token]);
  });

  it('where all sessions ended, those among them whose newest token came from a proof of the password', async () => {
    const all = await twoProcesses();
    const token = await provenLongAfter(all);
    await withLostMarks(all, () => all.one.request('POST', '/auth/logout-all', { token }), [token]);
  });

  it('where an admin disabled somebody', async () => {
    const all = await twoProcesses();
    const admin = await registerAdmin(all.one);
    const token = await provenLongAfter(all);
    const { body } = await all.one.request('POST', '/auth/login', { body: { email: admin.email, password } });
    const path = `/admin/users/${all.user.id}/disable`;
    await withLostMarks(all, () => all.one.request('POST', path, { token: body.access_token }), [token]);
  });

  it('where an account lost its address to one that took a change back', async () => {
    const all = await twoProcesses();
    const { one, user, clock } = all;
    const mine = await login(one, user.email);
    const to = 'new@example.com';
    await one.request('POST', '/users/change-email', { token: mine.access, body: { email: to } });
    await one.request('POST', '/auth/confirm-email-change', { body: { token: secretsTo(one, to).token } });
    const undo = /token=([\w-]{43})/.exec(one.mails.findLast((mail) => mail.to === user.email)?.text ?? '')?.[1];
    clock.advance(121);
    const other = await one.request('POST', '/auth/register', { body: { email: user.email, password } });
    expect(other.status).toBe(201);
    clock.advance(90);
    const takeBack = () => one.request('POST', '/auth/undo-email-change', { body: { token: undo } });
    await withLostMarks(all, takeBack, [other.body.access_token]);
  });
});

it('a repeated mark of a user does not replace the newer one of a moment ago', async () => {
  const { clock, store, one, two, user } = await twoProcesses();
  const first = await login(one, user.email);
  await one.request('POST', '/auth/logout-all', { token: first.access });
  clock.advance(130);
  const second = await login(one, user.email);
  clock.advance(70);
  expect(await verify(two, second.access)).toBe(200);
  store.before(`revoked:user:${user.id}`, async () => {
    expect((await two.request('POST', '/auth/logout-all', { token: second.access })).status).toBe(200);
  });
  await one.app.runScheduled();
  expect([await verify(one, second.access), await verify(two, second.access)]).toEqual([401, 401]);
});
