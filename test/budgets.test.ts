import { decodeJwt } from 'jose';
import { describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { runtime } from '#test-runtime';
import { withDeadline } from '../src/platform/kv-deadline.ts';
import { namespaced } from './degraded/key-values.ts';
import { registerAdmin } from './support/admin.ts';
import { secretsTo } from './support/mail.ts';
import { letPass } from './support/sessions.ts';
import {
  hasSharedKeyValue,
  password,
  registerUser,
  type TestApp,
  type TestAppOptions,
  testApp,
} from './support/test-app.ts';

/** What one request costs: statements sent to Postgres, and round trips to the key-value store. */
type Cost = readonly [statements: number, roundTrips: number];
/** What it costs until the answer, and what is done after it, where that is anything. */
type WholeCost = Cost | readonly [...Cost, { readonly after: Cost }];

const token = `test-budgets-${crypto.randomUUID()}`;

/** The application as an isolate that has served before, on a shared store of its own. */
async function warmApp(variables: TestAppOptions['variables'] = {}): Promise<TestApp> {
  const shared = runtime.openKeyValue({ token });
  if (shared === undefined) throw new Error('skipped');
  const name = crypto.randomUUID();
  const app = await testApp({ kv: withDeadline(namespaced(shared, () => name)), variables });
  const { access } = await registerUser(app);
  // The first look for a revoked token marks since when the store knows. Tokens of about that time are looked up.
  await app.request('GET', '/auth/verify-token', { token: access });
  app.clock.advance(61);
  return app;
}

/** What went over the wire as the other ends counted it. In workerd each round trip to either is an HTTP request. */
async function requestsSoFar({ databaseUrl }: TestApp): Promise<Cost> {
  const database = new URL('/counters', inject('neonEndpoint'));
  database.searchParams.set('database', new URL(databaseUrl).pathname.slice(1));
  const count = async (url: URL) => {
    const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
    return z.object({ requests: z.int() }).parse(await response.json()).requests;
  };
  return [await count(database), await count(new URL('/counters', inject('upstashUrl') ?? ''))];
}

const minus = (a: Cost, b: Cost): Cost => [a[0] - b[0], a[1] - b[1]];

/** The session of an access token. */
const sessionOf = (access: string) => String(decodeJwt(access)['sid']);

/** Counts what a call costs; where requests can be counted at the other end, they are as many. */
async function costOf(app: TestApp, status: number, ...sent: Parameters<TestApp['request']>): Promise<WholeCost> {
  const soFar = (): Cost => [app.statements.length, app.roundTrips()];
  const isHttp = runtime.name === 'workerd';
  const requestsBefore = isHttp ? await requestsSoFar(app) : undefined;
  const before = soFar();
  const answer = await app.request(...sent);
  expect(answer).toMatchObject({ status });
  const whole = minus(soFar(), before);
  if (requestsBefore !== undefined) expect(minus(await requestsSoFar(app), requestsBefore)).toEqual(whole);
  const cost = minus(answer.soFar, before);
  const after = minus(whole, cost);
  return after[0] + after[1] === 0 ? cost : [...cost, { after }];
}

describe.skipIf(!hasSharedKeyValue())(
  'each operation, in an isolate that is warm, costs no more than its budget',
  () => {
    it('for what goes well', async () => {
      const app = await warmApp();
      const { email, access, refresh } = await registerUser(app);
      const other = await registerUser(app);
      const [third, fourth] = [await registerUser(app), await registerUser(app)];
      const [fifth, sixth] = [await registerUser(app), await registerUser(app)];
      const change = { current_password: password, new_password: 'a quieter pony on the stairs' };
      const [ending, seventh] = [await registerUser(app), await registerUser(app)];
      const cost = (...sent: Parameters<TestApp['request']>) => costOf(app, 200, ...sent);
      const body = { email: `${crypto.randomUUID()}@example.com`, password };
      expect({
        register: await costOf(app, 201, 'POST', '/auth/register', { body }),
        login: await cost('POST', '/auth/login', { body: { identifier: email, password } }),
        refresh: await cost('POST', '/auth/refresh', { body: { refresh_token: refresh } }),
        repeatedRefresh: await cost('POST', '/auth/refresh', { body: { refresh_token: refresh } }),
        verifyToken: await cost('GET', '/auth/verify-token', { token: access }),
        me: await cost('GET', '/users/me', { token: access }),
        readProfile: await cost('GET', '/users/profile', { token: access }),
        changeProfile: await cost('PUT', '/users/profile', { token: access, body: { name: 'Ann' } }),
        listSessions: await cost('GET', '/users/sessions', { token: access }),
        activity: await cost('GET', '/users/activity', { token: access }),
        exportAccount: await cost('GET', '/users/export', { token: access }),
        revokeSession: await costOf(app, 204, 'DELETE', `/users/sessions/${sessionOf(ending.access)}`, {
          token: ending.access,
        }),
        logout: await cost('POST', '/auth/logout', { body: { refresh_token: refresh } }),
        logoutAgain: await cost('POST', '/auth/logout', { token: access }),
        logoutAll: await cost('POST', '/auth/logout-all', { token: other.access }),
        reauthenticate: await cost('POST', '/auth/reauthenticate', { token: third.access, body: { password } }),
        changePassword: await cost('POST', '/users/change-password', { token: third.access, body: change }),
        deleteAccount: await cost('DELETE', '/users/delete-account', { token: fourth.access, body: { password } }),
        lastingRefresh: await cost('POST', '/auth/refresh-token', { body: { refresh_token: seventh.refresh } }),
        deleteByCredentials: await cost('POST', '/api/delete', { body: { login: seventh.email, password } }),
        verifyEmail: await cost('POST', '/auth/verify-email', { body: { token: secretsTo(app, sixth.email).token } }),
        forgotPassword: await costOf(app, 202, 'POST', '/auth/forgot-password', { body: { email: fifth.email } }),
        forgotUnknown: await costOf(app, 202, 'POST', '/auth/forgot-password', { body: { email: 'nobody@a.example' } }),
        resetPassword: await cost('POST', '/auth/reset-password', {
          body: { token: secretsTo(app, fifth.email).token, password: change.new_password },
        }),
        resendVerification: await costOf(app, 202, 'POST', '/auth/resend-verification', {
          body: { email: fifth.email },
        }),
        changeEmail: await costOf(app, 202, 'POST', '/users/change-email', {
          token: sixth.access,
          body: { email: 'sixth@example.com' },
        }),
        confirmEmailChange: await cost('POST', '/auth/confirm-email-change', {
          body: { token: secretsTo(app, 'sixth@example.com').token },
        }),
        undoEmailChange: await cost('POST', '/auth/undo-email-change', {
          body: { token: secretsTo(app, sixth.email).token },
        }),
        jwks: await cost('GET', '/.well-known/jwks.json'),
        health: await cost('GET', '/health'),
      }).toEqual({
        // The mail to verify the address is sent after the answer, and its row deleted; so with each mail below.
        register: [1, 1, { after: [1, 0] }],
        // The attempt is taken back, or the failure counted, after the answer.
        login: [2, 1, { after: [0, 1] }],
        refresh: [1, 1],
        repeatedRefresh: [1, 1],
        verifyToken: [0, 1],
        me: [1, 1],
        readProfile: [1, 1],
        changeProfile: [1, 1],
        listSessions: [1, 1],
        activity: [1, 1],
        // The lists are read while the client reads.
        exportAccount: [1, 1, { after: [3, 0] }],
        revokeSession: [1, 2],
        logout: [1, 2],
        logoutAgain: [1, 2],
        logoutAll: [1, 2],
        reauthenticate: [2, 1],
        changePassword: [2, 2, { after: [1, 0] }],
        deleteAccount: [3, 2, { after: [1, 0] }],
        lastingRefresh: [1, 1],
        deleteByCredentials: [3, 2, { after: [1, 1] }],
        verifyEmail: [2, 1],
        // The account is looked for after the answer, which does not tell whether there is one.
        forgotPassword: [1, 1, { after: [3, 0] }],
        forgotUnknown: [1, 1, { after: [3, 0] }],
        resetPassword: [3, 3, { after: [1, 0] }],
        resendVerification: [1, 1, { after: [3, 0] }],
        changeEmail: [1, 1, { after: [4, 0] }],
        confirmEmailChange: [3, 1, { after: [1, 0] }],
        undoEmailChange: [3, 2, { after: [1, 0] }],
        jwks: [0, 0],
        health: [0, 0],
      });
    });

    it('for what admins do', async () => {
      const app = await warmApp({ LIMIT_REGISTER_ADDRESS: '1000/60' });
      const { access: token } = await registerAdmin(app);
      const [user, other] = [await registerUser(app), await registerUser(app)];
      const path = `/admin/users/${user.id}`;
      const cost = (...sent: Parameters<TestApp['request']>) => costOf(app, 200, ...sent);
      // Known for a minute from then on.
      const cold = await cost('GET', '/admin/users', { token });
      expect({
        cold,
        listUsers: await cost('GET', '/admin/users?role=user', { token }),
        readUser: await cost('GET', path, { token }),
        listUserSessions: await cost('GET', `${path}/sessions`, { token }),
        listUserActivity: await cost('GET', `${path}/activity`, { token }),
        listAudit: await cost('GET', '/admin/audit', { token }),
        createUser: await costOf(app, 201, 'POST', '/admin/users', { token, body: { username: 'made', password } }),
        inviteUser: await costOf(app, 201, 'POST', '/admin/users', { token, body: { email: 'made@example.com' } }),
        setRoles: await cost('PUT', `${path}/roles`, { token, body: { roles: ['user'] } }),
        disableUser: await cost('POST', `${path}/disable`, { token }),
        enableUser: await cost('POST', `${path}/enable`, { token }),
        revokeUserSessions: await cost('POST', `${path}/revoke-sessions`, { token }),
        forcePasswordReset: await cost('POST', `${path}/force-password-reset`, { token }),
        deleteUser: await cost('DELETE', path, { token }),
        forbidden: await costOf(app, 403, 'GET', '/admin/users', { token: other.access }),
      }).toEqual({
        // Who looked at what is noted after the answer, once a minute.
        cold: [2, 1, { after: [1, 0] }],
        listUsers: [1, 1],
        readUser: [1, 1, { after: [1, 0] }],
        listUserSessions: [1, 1],
        listUserActivity: [1, 1],
        listAudit: [1, 1, { after: [1, 0] }],
        createUser: [1, 1],
        inviteUser: [1, 1, { after: [1, 0] }],
        setRoles: [1, 2],
        disableUser: [1, 2],
        enableUser: [1, 1],
        revokeUserSessions: [1, 2],
        forcePasswordReset: [2, 2, { after: [1, 0] }],
        deleteUser: [3, 2, { after: [1, 0] }],
        forbidden: [0, 0, { after: [1, 0] }],
      });
    });

    it('for what is refused', async () => {
      const app = await warmApp({ LIMIT_REGISTER_ADDRESS: '3/3600' });
      const { email, access, refresh } = await registerUser(app);
      const other = await registerUser(app);
      const stale = { token: access, headers: { 'If-Match': '"1"' }, body: { name: null } };
      const ended = await app.request('POST', '/auth/login', { body: { email, password } });
      await app.request('POST', '/auth/logout', { token: ended.body.access_token });
      const body = { email: `${crypto.randomUUID()}@example.com`, password };
      const wrong = { password: 'wrong password' };
      const shown = (refresh_token: string) => ({ body: { refresh_token } });
      const spoilt = (text: string) => `${text.slice(0, -2)}${text.endsWith('AA') ? 'BA' : 'AA'}`;
      const cost = (...sent: Parameters<TestApp['request']>) => costOf(app, 401, ...sent);
      expect({
        wrongPassword: await cost('POST', '/auth/login', { body: { email, password: 'wrong password' } }),
        unknownAccount: await cost('POST', '/auth/login', { body }),
        beyondTheLimit: await costOf(app, 429, 'POST', '/auth/register', { body }),
        wrongPasswordAgain: await costOf(app, 422, 'POST', '/auth/reauthenticate', { token: access, body: wrong }),
        invalidBody: await costOf(app, 422, 'POST', '/auth/register', { body: {} }),
        forgedRefreshToken: await cost('POST', '/auth/refresh', shown(spoilt(refresh))),
        forgedRefreshTokenAtLogout: await cost('POST', '/auth/logout', shown(spoilt(refresh))),
        endedSession: await cost('POST', '/auth/refresh', shown(ended.body.refresh_token)),
        foreignSession: await costOf(app, 404, 'DELETE', `/users/sessions/${sessionOf(other.access)}`, {
          token: access,
        }),
        malformedSession: await costOf(app, 404, 'DELETE', '/users/sessions/1', { token: access }),
        staleProfile: await costOf(app, 412, 'PUT', '/users/profile', stale),
        malformedCursor: await costOf(app, 422, 'GET', '/users/activity?cursor=1', { token: access }),
        forgedAccessToken: await cost('GET', '/users/me', { token: spoilt(access) }),
        noAccessToken: await cost('GET', '/users/me'),
        revokedAccessToken: await cost('GET', '/users/me', { token: ended.body.access_token }),
      }).toEqual({
        wrongPassword: [2, 1, { after: [0, 1] }],
        unknownAccount: [2, 1, { after: [0, 1] }],
        beyondTheLimit: [0, 1, { after: [1, 0] }],
        wrongPasswordAgain: [2, 1],
        invalidBody: [0, 0],
        forgedRefreshToken: [0, 0],
        forgedRefreshTokenAtLogout: [0, 0],
        endedSession: [1, 1],
        foreignSession: [1, 1],
        malformedSession: [0, 0],
        staleProfile: [1, 1],
        malformedCursor: [0, 0],
        forgedAccessToken: [0, 0],
        noAccessToken: [0, 0],
        revokedAccessToken: [0, 1],
      });
    });

    it('and a sign-in one more statement where sessions are bounded, and one more round trip where one ends', async () => {
      const app = await warmApp({ MAX_SESSIONS: '2' });
      const { email } = await registerUser(app);
      const cost = () => costOf(app, 200, 'POST', '/auth/login', { body: { email, password } });
      expect([await cost(), await cost()]).toEqual([
        [3, 1, { after: [0, 1] }],
        [3, 2, { after: [0, 1] }],
      ]);
    });

    it('and the reuse of a refresh token one more of each, to end the session once it is certain', async () => {
      const app = await warmApp();
      const { refresh } = await registerUser(app);
      await app.request('POST', '/auth/refresh', { body: { refresh_token: refresh } });
      await letPass(app, 60);
      expect(await costOf(app, 401, 'POST', '/auth/refresh', { body: { refresh_token: refresh } })).toEqual([2, 2]);
    });
  },
);
