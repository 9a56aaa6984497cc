import { Problem } from '../errors.ts';
import { type Endpoint, endpoint, guardedEndpoint } from '../http/endpoint.ts';
import { addressBucket } from '../limits/client-address.ts';
import { message, tokens } from '../sessions/schemas.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { changePassword } from './change-password.ts';
import { deleteAccount } from './delete-account.ts';
import { login, readIdentifier } from './login.ts';
import { me } from './profile.ts';
import { reauthenticate } from './reauthenticate.ts';
import { register } from './register.ts';
import { registerByMail } from './register-by-mail.ts';
import {
  changePasswordRequest,
  loginRequest,
  passwordRequest,
  type RegisterRequest,
  registerRequest,
  user,
} from './schemas.ts';

const noStore = { 'Cache-Control': 'no-store' };
const signedIn = tokens.extend({ user }).meta({ id: 'SignedIn' });

export function accountRoutes(deps: SessionDeps): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/auth/register',
      operationId: 'register',
      tag: 'Accounts',
      summary: 'Make an account and sign in',
      body: registerRequest(deps.config),
      description:
        'Where addresses have to be verified first (`REQUIRE_EMAIL_VERIFICATION`), the answer is 202 and the same for ' +
        'known and unknown addresses: what follows stands in a mail.',
      responses: {
        201: { description: 'The user and the first tokens', schema: signedIn },
        202: { description: 'A mail is on its way', schema: message },
      },
      errors: ['identifier_taken'],
      prepare: ({ call: { origin } }) => ({
        hits: [{ policy: 'register_address', key: addressBucket(origin.address) }],
        subject: undefined,
      }),
      handler: async ({ c, body, call }) => {
        if (deps.config.requireEmailVerification) {
          await registerByMail(deps, withEmail(body), call);
          return c.json({ message: 'Read your mail: it says how to go on' }, 202, noStore);
        }
        const registered = await register(deps, body, call);
        return c.json({ ...registered.tokens, user: registered.user }, 201, noStore);
      },
    }),
    endpoint({
      method: 'post',
      path: '/auth/login',
      operationId: 'login',
      tag: 'Accounts',
      summary: 'Sign in with a password',
      description: 'An unknown identifier and a wrong password get the same answer.',
      body: loginRequest,
      responses: { 200: { description: 'The user and the tokens of a new session', schema: signedIn } },
      errors: ['invalid_credentials'],
      prepare: async ({ body, call: { origin } }) => {
        const subject = await readIdentifier(deps, body.identifier);
        const address = addressBucket(origin.address);
        return {
          hits: [
            { policy: 'login_address', key: address },
            { policy: 'login_account_address', key: `${subject.limitKey}:${address}` },
            { policy: 'login_account', key: subject.limitKey },
          ],
          subject,
        };
      },
      handler: async ({ c, body, call }, identifier) => {
        const signed = await login(deps, { identifier, password: body.password }, call);
        return c.json({ ...signed.tokens, user: signed.user }, 200, noStore);
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
      responses: { 200: { description: 'Nothing is left', schema: message } },
      errors: ['wrong_password'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'password_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, body, ...proof }) => {
        await deleteAccount(deps, { ...proof, password: body.password });
        return c.json({ message: 'Account deleted' }, 200, noStore);
      },
    }),
  ];
}

/** @throws {Problem} `validation_failed` where there is no email to verify */
function withEmail(request: RegisterRequest) {
  const { email } = request;
  if (email !== undefined) return { ...request, email };
  throw new Problem('validation_failed', { errors: [{ path: 'email', message: 'Is needed, and will be verified' }] });
}
