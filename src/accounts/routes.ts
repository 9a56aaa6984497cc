import { blindIndexes } from '../crypto/blind-index.ts';
import { Problem } from '../errors.ts';
import { deviceHeaders, deviceRequestHeaders, deviceResponseHeaders, shownDeviceTokens } from '../http/device.ts';
import { type Contract, type Endpoint, endpoint, guardedEndpoint } from '../http/endpoint.ts';
import { addressBucket } from '../limits/client-address.ts';
import type { Hit } from '../limits/rate-limit.ts';
import { exampleTokens, says, tokens } from '../sessions/schemas.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { changePassword } from './change-password.ts';
import { deleteAccount, deleteByCredentials } from './delete-account.ts';
import { login } from './login.ts';
import { loginLimits, prepareLogin } from './login-attempt.ts';
import { me } from './profile.ts';
import { reauthenticate } from './reauthenticate.ts';
import { register } from './register.ts';
import { registerByMail } from './register-by-mail.ts';
import {
  anyName,
  changePasswordRequest,
  exampleUser,
  loginRequest,
  passwordRequest,
  type RegisterRequest,
  registerRequest,
  user,
} from './schemas.ts';

const noStore = { 'Cache-Control': 'no-store' };
const signedIn = tokens.extend({ user }).meta({ id: 'SignedIn', examples: [{ ...exampleTokens, user: exampleUser }] });

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
        'An unknown identifier and a wrong password get the same answer. Failures lock the account for the address ' +
        'they come from, and many of them for all devices but those that signed in before.',
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
      prepare: ({ c, body, call }) =>
        prepareLogin(deps, body.identifier, shownDeviceTokens(c, deps.config), call.origin.address),
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
      summary: 'The signed-in user',
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
      summary: 'Prove the password again',
      description: 'Gives tokens of the same session, with a new `auth_time`, as sensitive operations ask for it.',
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
      description: 'Ends all other sessions. The session that asks goes on: the answer holds its tokens.',
      body: changePasswordRequest(deps.config),
      responses: { 200: { description: 'Tokens of the same session', schema: tokens } },
      errors: ['wrong_password'],
      limits: ['password_user'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'password_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, body, ...proof }) => {
        const password = body.current_password;
        return c.json(await changePassword(deps, { ...proof, password }, body.new_password), 200, noStore);
      },
    }),
    guardedEndpoint({
      method: 'delete',
      path: '/users/delete-account',
      operationId: 'deleteAccount',
      tag: 'Accounts',
      summary: 'Delete the account',
      description: 'Removes all that is held of the caller, at once and for good.',
      sensitive: true,
      body: passwordRequest,
      responses: { 200: { description: 'Nothing is left', schema: says('Account deleted') } },
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

/** For clients of an older API, whose users may have any name. No path of ours leads here. */
export const registrationByAnyName = (deps: SessionDeps): Endpoint =>
  registration(deps, {
    path: '/api/register',
    operationId: 'registerByAnyName',
    description: 'A name that is no email address becomes the username, whatever it holds. ',
    usernames: anyName,
  });

/** @param older what differs for clients of an older API */
const registration = (
  deps: SessionDeps,
  older?: Pick<Contract, 'path' | 'operationId' | 'description'> & { readonly usernames: typeof anyName },
): Endpoint =>
  endpoint({
    method: 'post',
    path: older?.path ?? '/auth/register',
    operationId: older?.operationId ?? 'register',
    tag: 'Accounts',
    summary: 'Make an account and sign in',
    body: registerRequest(deps.config, older?.usernames),
    description:
      `${older?.description ?? ''}` +
      'Where addresses have to be verified first (`REQUIRE_EMAIL_VERIFICATION`), the answer is 202 and the same for ' +
      'known and unknown addresses: what follows stands in a mail.',
    responses: {
      201: { description: 'The user and the first tokens', schema: signedIn, headers: deviceResponseHeaders },
      202: { description: 'A mail is on its way', schema: says('Read your mail: it says how to go on') },
    },
    errors: ['identifier_taken'],
    limits: ['register_address', 'mail_account'],
    prepare: async ({ body, call: { origin } }) => {
      const byAddress: Hit<'register_address'> = { policy: 'register_address', key: addressBucket(origin.address) };
      if (body.email === undefined) return { hits: [byAddress], subject: undefined };
      // Whoever gives the address of another has mails sent to them.
      const [key] = await blindIndexes(deps.keyring, 'email', body.email.key);
      return { hits: [byAddress, { policy: 'mail_account', key: `register:${key}` }], subject: undefined };
    },
    handler: async ({ c, body, call }) => {
      if (deps.config.requireEmailVerification) {
        await registerByMail(deps, withEmail(body), call);
        return c.json({ message: 'Read your mail: it says how to go on' }, 202, noStore);
      }
      const registered = await register(deps, body, call);
      const headers = { ...noStore, ...deviceHeaders(deps.config, registered.deviceToken) };
      return c.json({ ...registered.tokens, user: registered.user }, 201, headers);
    },
  });

/** For clients that delete an account with its name and password. No path of ours leads here. */
export const deletionByCredentials = (deps: SessionDeps): Endpoint =>
  endpoint({
    method: 'post',
    path: '/api/delete',
    operationId: 'deleteByCredentials',
    tag: 'Accounts',
    summary: 'Delete an account with its name and password',
    description: 'Counts as a sign-in, and is locked as one. A token that is shown besides is not looked at.',
    body: loginRequest,
    requestHeaders: deviceRequestHeaders,
    responses: { 200: { description: 'Nothing is left', schema: says('Account deleted') } },
    errors: ['invalid_credentials', 'account_locked'],
    limits: loginLimits,
    prepare: ({ c, body, call }) =>
      prepareLogin(deps, body.identifier, shownDeviceTokens(c, deps.config), call.origin.address),
    handler: async ({ c, body, call, tried }, attempt) => {
      await deleteByCredentials(deps, { ...attempt, password: body.password }, tried, call);
      return c.json({ message: 'Account deleted' }, 200, noStore);
    },
  });

/** @throws {Problem} `validation_failed` where there is no email to verify */
function withEmail(request: RegisterRequest) {
  const { email } = request;
  if (email !== undefined) return { ...request, email };
  throw new Problem('validation_failed', { errors: [{ path: 'email', message: 'Is needed, and will be verified' }] });
}
