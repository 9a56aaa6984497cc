import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import { deviceHeaders, deviceResponseHeaders } from '../http/device.ts';
import { type Endpoint, endpoint, guardedEndpoint } from '../http/endpoint.ts';
import { addressBucket } from '../limits/client-address.ts';
import type { Hit } from '../limits/rate-limit.ts';
import { says } from '../sessions/schemas.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { changeEmail, confirmEmailChange, undoEmailChange } from './change-email.ts';
import { readIdentifier } from './identifier.ts';
import {
  emailRequest,
  forgotPasswordRequest,
  proofRequest,
  resetPasswordRequest,
  tokenRequest,
} from './mail-schemas.ts';
import type { MailProof } from './one-time-tokens.ts';
import { forgotPassword, resetPassword } from './reset-password.ts';
import { resendVerification, verifyEmail } from './verify-email.ts';

const noStore = { 'Cache-Control': 'no-store' };
const tag = 'Accounts';

const mailLimits = ['mail_address', 'mail_account'] as const;
export const proofLimits = ['proof_address', 'code_account'] as const;
type MailHit = Hit<(typeof mailLimits)[number]>;
type ProofHit = Hit<(typeof proofLimits)[number]>;

/**
 * What asks for a mail counts by the address it comes from, and by whom the mail is for, known or not. Each kind of mail
 * counts for itself: so whoever uses one up for somebody else keeps nobody from another, and has sent them good links.
 */
const mailHits = ({ origin }: Call, kind: string, ...keys: readonly string[]): MailHit[] => [
  { policy: 'mail_address', key: addressBucket(origin.address) },
  ...keys.map((key): MailHit => ({ policy: 'mail_account', key: `${kind}:${key}` })),
];

const proofByAddress = ({ address }: Call['origin']): Hit<'proof_address'> => ({
  policy: 'proof_address',
  key: addressBucket(address),
});

/** What shows a link or code counts by the address it comes from; a code also by whom it was sent to. */
export async function proofHits(deps: SessionDeps, proof: MailProof, { origin }: Call): Promise<ProofHit[]> {
  const byAddress = proofByAddress(origin);
  if ('token' in proof) return [byAddress];
  const [key] = await blindIndexes(deps.keyring, 'email', proof.email.key);
  return [byAddress, { policy: 'code_account', key }];
}

/** Everything around mails: verify an address, reset a password, change the address. */
export function mailRoutes(deps: SessionDeps): Endpoint[] {
  const ok = (description: string, text: string) => ({ 200: { description, schema: says(text) } });
  const accepted = (text: string) => ({
    202: { description: 'The same whether there is such an account or not', schema: says(text) },
  });
  return [
    endpoint({
      method: 'post',
      path: '/auth/verify-email',
      operationId: 'verifyEmail',
      tag,
      summary: 'Verify an email address',
      body: proofRequest,
      responses: ok('The address is verified', 'Email verified'),
      errors: ['link_expired', 'identifier_taken'],
      limits: proofLimits,
      prepare: async ({ body, call }) => ({ hits: await proofHits(deps, body, call), subject: undefined }),
      handler: async ({ c, body, call }) => {
        await verifyEmail(deps, body, call);
        return c.json({ message: 'Email verified' }, 200, noStore);
      },
    }),
    endpoint({
      method: 'post',
      path: '/auth/resend-verification',
      operationId: 'resendVerification',
      tag,
      summary: 'Send the mail to verify an address again',
      body: emailRequest,
      responses: accepted('If this address waits to be verified, a mail is on its way'),
      errors: [],
      limits: mailLimits,
      prepare: async ({ body, call }) => {
        const [key] = await blindIndexes(deps.keyring, 'email', body.email.key);
        return { hits: mailHits(call, 'resend', key), subject: undefined };
      },
      handler: async ({ c, body, call }) => {
        await resendVerification(deps, body.email, call);
        return c.json({ message: 'If this address waits to be verified, a mail is on its way' }, 202, noStore);
      },
    }),
    endpoint({
      method: 'post',
      path: '/auth/forgot-password',
      operationId: 'forgotPassword',
      tag,
      summary: 'Ask for a mail to set a new password',
      body: forgotPasswordRequest,
      responses: accepted('If there is such an account, a mail is on its way'),
      errors: [],
      limits: mailLimits,
      prepare: async ({ body, call }) => {
        const subject = await readIdentifier(deps, body);
        return { hits: mailHits(call, 'forgot', subject.limitKey), subject };
      },
      handler: async ({ c, call }, identifier) => {
        await forgotPassword(deps, identifier, call);
        return c.json({ message: 'If there is such an account, a mail is on its way' }, 202, noStore);
      },
    }),
    endpoint({
      method: 'post',
      path: '/auth/reset-password',
      operationId: 'resetPassword',
      tag,
      summary: 'Set a new password',
      description: 'Ends all sessions and every lockout. A password that is refused leaves the link good.',
      body: resetPasswordRequest(deps.config),
      responses: {
        200: {
          description: 'The new password is set',
          schema: says('Password changed'),
          headers: deviceResponseHeaders,
        },
      },
      errors: ['link_expired'],
      limits: proofLimits,
      prepare: async ({ body, call }) => ({ hits: await proofHits(deps, body.proof, call), subject: undefined }),
      handler: async ({ c, body, call }) => {
        const { deviceToken } = await resetPassword(deps, body, call);
        const headers = { ...noStore, ...deviceHeaders(deps.config, deviceToken) };
        return c.json({ message: 'Password changed' }, 200, headers);
      },
    }),
    guardedEndpoint({
      method: 'post',
      path: '/users/change-email',
      operationId: 'changeEmail',
      tag,
      summary: 'Ask to change the email address',
      description: 'The new address gets a mail to confirm it. Until then nothing changes.',
      sensitive: true,
      body: emailRequest,
      responses: {
        202: {
          description: 'The same whether the address is free or not',
          schema: says('A mail to the new address is on its way'),
        },
      },
      errors: [],
      limits: mailLimits,
      prepare: async ({ caller, body, call }) => {
        const [key] = await blindIndexes(deps.keyring, 'email', body.email.key);
        return { hits: mailHits(call, 'change', caller.userId, key), subject: undefined };
      },
      handler: async ({ c, body, caller, call }) => {
        await changeEmail(deps, caller, body.email, call);
        return c.json({ message: 'A mail to the new address is on its way' }, 202, noStore);
      },
    }),
    endpoint({
      method: 'post',
      path: '/auth/confirm-email-change',
      operationId: 'confirmEmailChange',
      tag,
      summary: 'Confirm a new email address',
      description: 'The old address gets a notice, with a link that takes the change back for seven days.',
      body: proofRequest,
      responses: ok('The address is changed', 'Email changed'),
      errors: ['link_expired', 'identifier_taken'],
      limits: proofLimits,
      prepare: async ({ body, call }) => ({ hits: await proofHits(deps, body, call), subject: undefined }),
      handler: async ({ c, body, call }) => {
        await confirmEmailChange(deps, body, call);
        return c.json({ message: 'Email changed' }, 200, noStore);
      },
    }),
    endpoint({
      method: 'post',
      path: '/auth/undo-email-change',
      operationId: 'undoEmailChange',
      tag,
      summary: 'Take a change of the email address back',
      description: 'Ends all sessions, and the password stops to work: a mail to set a new one follows.',
      body: tokenRequest,
      responses: ok('The old address is back', 'The old address is back. A mail to set a new password is on its way'),
      errors: ['link_expired', 'identifier_taken'],
      limits: ['proof_address'],
      prepare: ({ call }) => ({ hits: [proofByAddress(call.origin)], subject: undefined }),
      handler: async ({ c, body, call }) => {
        await undoEmailChange(deps, body.token, call);
        return c.json({ message: 'The old address is back. A mail to set a new password is on its way' }, 200, noStore);
      },
    }),
  ];
}
