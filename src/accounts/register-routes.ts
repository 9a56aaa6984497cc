import { blindIndexes } from '../crypto/blind-index.ts';
import { Problem } from '../errors.ts';
import { askedHeaders, askedResponseHeaders } from '../http/asked.ts';
import { deviceHeaders, deviceResponseHeaders } from '../http/device.ts';
import { type Contract, type Endpoint, endpoint } from '../http/endpoint.ts';
import type { Hit } from '../limits/rate-limit.ts';
import { exampleTokens, says, tokens } from '../sessions/schemas.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { register } from './register.ts';
import { registerByMail } from './register-by-mail.ts';
import { anyName, exampleUser, type RegisterRequest, registerRequest, user } from './schemas.ts';

const noStore = { 'Cache-Control': 'no-store' };
/** What somebody gets who registers or signs in. */
export const signedIn = tokens
  .extend({ user })
  .meta({ id: 'SignedIn', examples: [{ ...exampleTokens, user: exampleUser }] });

/** For clients of an older API, whose users may have any name. No path of ours leads here. */
export const registrationByAnyName = (deps: SessionDeps): Endpoint =>
  registration(deps, {
    path: '/api/register',
    operationId: 'registerByAnyName',
    description: 'A name that is not an email address becomes the username, whatever characters it contains. ',
    usernames: anyName,
  });

/** @param older what differs for clients of an older API */
export const registration = (
  deps: SessionDeps,
  older?: Pick<Contract, 'path' | 'operationId' | 'description'> & { readonly usernames: typeof anyName },
): Endpoint =>
  endpoint({
    method: 'post',
    path: older?.path ?? '/auth/register',
    operationId: older?.operationId ?? 'register',
    tag: 'Accounts',
    summary: 'Create an account and sign in',
    body: registerRequest(deps.config, older?.usernames),
    description:
      `${older?.description ?? ''}` +
      'If users have to verify their address first (`REQUIRE_EMAIL_VERIFICATION`), the answer is 202 and the same for ' +
      'known and unknown addresses. A mail says what to do next.',
    responses: {
      201: { description: 'The user and the first tokens', schema: signedIn, headers: deviceResponseHeaders },
      202: {
        description: 'An email is on its way',
        schema: says('Check your email to finish signing up'),
        headers: askedResponseHeaders,
      },
    },
    errors: ['identifier_taken'],
    limits: ['register_address', 'mail_account'],
    prepare: async ({ body, call }) => {
      const byAddress: Hit<'register_address'> = { policy: 'register_address', key: await call.addressKey() };
      if (body.email === undefined) return { hits: [byAddress], subject: undefined };
      // Whoever gives the address of another has mails sent to them.
      const [key] = await blindIndexes(deps.keyring, 'email', body.email.key);
      return { hits: [byAddress, { policy: 'mail_account', key: `register:${key}` }], subject: undefined };
    },
    handler: async ({ c, body, call }) => {
      if (deps.config.requireEmailVerification) {
        const request = withEmail(body);
        await registerByMail(deps, request, call);
        const headers = { ...noStore, ...(await askedHeaders(deps, request.email.key)) };
        return c.json({ message: 'Check your email to finish signing up' }, 202, headers);
      }
      const registered = await register(deps, body, call);
      const headers = { ...noStore, ...deviceHeaders(deps.config, registered.deviceToken) };
      return c.json({ ...registered.tokens, user: registered.user }, 201, headers);
    },
  });

/** @throws {Problem} `validation_failed` where there is no email to verify */
function withEmail(request: RegisterRequest) {
  const { email } = request;
  if (email !== undefined) return { ...request, email };
  throw new Problem('validation_failed', {
    errors: [{ path: 'email', message: 'Enter an email address. You have to confirm it before you can sign in' }],
  });
}
