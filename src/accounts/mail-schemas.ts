import * as z from 'zod';
import type { TypedProof } from './one-time-tokens.ts';
import { newPassword } from './password.ts';
import { type Links, redirectTo } from './redirect-schema.ts';
import { bounded, email, identifierFields, oneIdentifier } from './schemas.ts';

/** Bounded, and otherwise looked at where it is used: what cannot be a token is answered like one that is used up. */
const token = bounded(256).min(1);
const code = bounded(64).min(1);

const proofFields = { token: token.optional(), email: email.optional(), code: code.optional() };

interface ProofFields {
  readonly token?: string | undefined;
  readonly email?: z.output<typeof email> | undefined;
  readonly code?: string | undefined;
}

/** Either the token of the link, or the code with the address it came to. */
function toProof(body: ProofFields, context: z.RefinementCtx): TypedProof {
  if (body.token !== undefined && body.email === undefined && body.code === undefined) return { token: body.token };
  if (body.token === undefined && body.email !== undefined && body.code !== undefined) {
    return { email: body.email, code: body.code };
  }
  context.addIssue({ code: 'custom', path: ['token'], message: 'Send either token, or email and code' });
  return z.NEVER;
}

const either = 'Either the `token` of the link, or the `code` of the mail with the `email` it came to.';
const exampleCode = { email: 'ann@example.com', code: '7K3M-XQ9D' };
const exampleToken = 'q1Zf0gqkFZy0m3uCkKcV4G5l6tN7o8p9_-AbCdEfGhI';

export const proofRequest = z
  .object(proofFields)
  .transform((body, context) => toProof(body, context))
  .meta({ id: 'MailProof', description: either, examples: [{ token: exampleToken }, exampleCode] });

export const resetPasswordRequest = (policy: Parameters<typeof newPassword>[0]) =>
  z
    .object({ ...proofFields, password: newPassword(policy) })
    .transform(({ password, ...body }, context) => ({ proof: toProof(body, context), password }))
    .meta({
      id: 'ResetPasswordRequest',
      description: either,
      examples: [
        { token: exampleToken, password: 'a quieter pony on the stairs' },
        { ...exampleCode, password: 'a quieter pony on the stairs' },
      ],
    });

export const tokenRequest = z.object({ token }).meta({ id: 'LinkToken', examples: [{ token: exampleToken }] });

export const emailRequest = z.object({ email }).meta({ id: 'EmailRequest', examples: [{ email: 'ann@example.com' }] });

/** Asks for a mail, whose page may lead on to an address of the application. */
export const mailRequest = (config: Links) =>
  z
    .object({ email, redirect_to: redirectTo(config) })
    .meta({ id: 'MailRequest', examples: [{ email: 'ann@example.com' }] });
export type MailRequest = z.output<ReturnType<typeof mailRequest>>;

export const forgotPasswordRequest = (config: Links) =>
  z
    .object({ ...identifierFields, redirect_to: redirectTo(config) })
    .transform(({ redirect_to, ...body }, context) => ({ identifier: oneIdentifier(body, context), redirect_to }))
    .meta({
      id: 'ForgotPasswordRequest',
      description: 'Exactly one of `email`, `username` and `identifier` (either of the two).',
      examples: [{ email: 'ann@example.com' }],
    });
