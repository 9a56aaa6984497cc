import { deviceHeaders, deviceRequestHeaders, deviceResponseHeaders, shownDeviceTokens } from '../http/device.ts';
import { type Endpoint, endpoint, guardedEndpoint } from '../http/endpoint.ts';
import { says, tokens } from '../sessions/schemas.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { changePassword } from './change-password.ts';
import { deleteAccount, deleteByCredentials } from './delete-account.ts';
import { login } from './login.ts';
import { loginLimits, prepareLogin } from './login-attempt.ts';
import { me } from './profile.ts';
import { reauthenticate } from './reauthenticate.ts';
import { registration, signedIn } from './register-routes.ts';
import { changePasswordRequest, loginRequest, passwordRequest, user } from './schemas.ts';

const noStore = { 'Cache-Control': 'no-store' };

export function accountRoutes(deps: SessionDeps): Endpoint[] {
  return [
    registration(deps),
    endpoint({
      method: 'post',
      path: '/auth/login',
      operationId: 'login',
      tag: 'Accounts',
      summary: 'Sign in with a password',
      description:
        'The answer is the same for an unknown identifier and a wrong password. Failed attempts lock the account for ' +
        'the address they come from. Many of them lock it for every device that has not signed in before.',
      body: loginRequest,
      requestHeaders: deviceRequestHeaders,
      responses: {
        200: {
          description: 'The user and the tokens of a new session',
          schema: signedIn,
          headers: deviceResponseHeaders,
        },
      },
      errors: ['invalid_credentials', 'email_not_verified', 'account_locked'],
      limits: loginLimits,
      prepare: ({ c, body, call }) => prepareLogin(deps, body.identifier, shownDeviceTokens(c, deps.config), call),
      handler: async ({ c, body, call, tried }, attempt) => {
        const signed = await login(deps, { ...attempt, password: body.password }, tried, call);
        const headers = { ...noStore, ...deviceHeaders(deps.config, signed.deviceToken) };
        return c.json({ ...signed.tokens, user: signed.user }, 200, headers);
      },
    }),
    guardedEndpoint({
      method: 'get',
      path: '/users/me',
      operationId: 'me',
      tag: 'Accounts',
      summary: 'Get the signed-in user',
      responses: { 200: { description: 'The user', schema: user } },
      errors: [],
      limits: ['read_user'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'read_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, caller }) => c.json(await me(deps, caller.userId), 200, noStore),
    }),
    guardedEndpoint({
      method: 'post',
      path: '/auth/reauthenticate',
      operationId: 'reauthenticate',
      tag: 'Sessions',
      summary: 'Confirm your password',
      description: 'Returns tokens of the same session with a new `auth_time`, which sensitive operations need.',
      body: passwordRequest,
      responses: { 200: { description: 'Tokens of the same session', schema: tokens } },
      errors: ['wrong_password'],
      limits: ['password_user'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'password_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, body, ...proof }) =>
        c.json(await reauthenticate(deps, { ...proof, password: body.password }), 200, noStore),
    }),
    guardedEndpoint({
      method: 'post',
      path: '/users/change-password',
      operationId: 'changePassword',
      tag: 'Accounts',
      summary: 'Change the password',
      description: 'Ends all other sessions. The current session continues with the returned tokens.',
      body: changePasswordRequest(deps.config),
      responses: {
        200: { description: 'Tokens of the same session', schema: tokens, headers: deviceResponseHeaders },
      },
      errors: ['wrong_password'],
      limits: ['password_user'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'password_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, body, ...proof }) => {
        const password = body.current_password;
        const changed = await changePassword(deps, { ...proof, password }, body.new_password);
        return c.json(changed.tokens, 200, { ...noStore, ...deviceHeaders(deps.config, changed.deviceToken) });
      },
    }),
    guardedEndpoint({
      method: 'delete',
      path: '/users/delete-account',
      operationId: 'deleteAccount',
      tag: 'Accounts',
      summary: 'Delete your account',
      description: 'Removes all your data immediately. This cannot be undone.',
      body: passwordRequest,
      responses: { 200: { description: 'The account is deleted', schema: says('Account deleted') } },
      errors: ['wrong_password', 'last_admin'],
      limits: ['password_user'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'password_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, body, ...proof }) => {
        await deleteAccount(deps, { ...proof, password: body.password });
        return c.json({ message: 'Account deleted' }, 200, noStore);
      },
    }),
  ];
}

/** For clients that delete an account with its name and password. No path of ours leads here. */
export const deletionByCredentials = (deps: SessionDeps): Endpoint =>
  endpoint({
    method: 'post',
    path: '/api/delete',
    operationId: 'deleteByCredentials',
    tag: 'Accounts',
    summary: 'Delete an account with its identifier and password',
    description: 'Counts as a sign-in for limits and locks. Ignores access tokens.',
    body: loginRequest,
    requestHeaders: deviceRequestHeaders,
    responses: { 200: { description: 'The account is deleted', schema: says('Account deleted') } },
    errors: ['invalid_credentials', 'account_locked', 'last_admin'],
    limits: loginLimits,
    prepare: ({ c, body, call }) => prepareLogin(deps, body.identifier, shownDeviceTokens(c, deps.config), call),
    handler: async ({ c, body, call, tried }, attempt) => {
      await deleteByCredentials(deps, { ...attempt, password: body.password }, tried, call);
      return c.json({ message: 'Account deleted' }, 200, noStore);
    },
  });
