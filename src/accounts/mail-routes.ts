import { blindIndexes } from '../crypto/blind-index.ts';
import { askedHeaders, askedResponseHeaders } from '../http/asked.ts';
import { deviceHeaders, deviceResponseHeaders } from '../http/device.ts';
import { type Endpoint, endpoint, guardedEndpoint } from '../http/endpoint.ts';
import { says } from '../sessions/schemas.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { changeEmail, confirmEmailChange } from './change-email.ts';
import { readIdentifier } from './identifier.ts';
import { mailHits, mailLimits, proofByAddress, proofLimits } from './mail-limits.ts';
import {
  forgotPasswordRequest,
  mailRequest,
  proofRequest,
  resetPasswordRequest,
  tokenRequest,
} from './mail-schemas.ts';
import { prepareProof } from './proof-routes.ts';
import { resendVerification } from './resend-verification.ts';
import { forgotPassword, resetPassword } from './reset-password.ts';
import { undoEmailChange } from './undo-email-change.ts';
import { verifyEmail } from './verify-email.ts';

const noStore = { 'Cache-Control': 'no-store' };
const tag = 'Accounts';
const confirmed = 'Email address confirmed';
const alreadyConfirmed = 'Your email address is already confirmed';

/** Everything around mails: verify an address, reset a password, change the address. */
export function mailRoutes(deps: SessionDeps): Endpoint[] {
  const ok = (description: string, text: string) => ({ 200: { description, schema: says(text) } });
  const accepted = (text: string) => ({
    202: {
      description: 'The answer is the same whether or not the account exists',
      schema: says(text),
      headers: askedResponseHeaders,
    },
  });
  return [
    endpoint({
      method: 'post',
      path: '/auth/verify-email',
      operationId: 'verifyEmail',
      tag,
      summary: 'Verify an email address',
      body: proofRequest,
      responses: ok('The address is verified', confirmed),
      errors: ['link_expired', 'identifier_taken'],
      limits: proofLimits,
      prepare: ({ c, body, call }) => prepareProof(deps, c, body, call),
      handler: async ({ c, call }, proof) => {
        const verified = await verifyEmail(deps, proof, call);
        return c.json({ message: verified === 'now' ? confirmed : alreadyConfirmed }, 200, noStore);
      },
    }),
    endpoint({
      method: 'post',
      path: '/auth/resend-verification',
      operationId: 'resendVerification',
      tag,
      summary: 'Send the verification email again',
      body: mailRequest(deps.config),
      responses: accepted('If this address is waiting to be confirmed, an email is on its way'),
      errors: [],
      limits: mailLimits,
      prepare: async ({ body, call }) => {
        const [key] = await blindIndexes(deps.keyring, 'email', body.email.key);
        return { hits: await mailHits(call, 'resend', key), subject: undefined };
      },
      handler: async ({ c, body, call }) => {
        await resendVerification(deps, body, call);
        const headers = { ...noStore, ...(await askedHeaders(deps, body.email.key)) };
        return c.json({ message: 'If this address is waiting to be confirmed, an email is on its way' }, 202, headers);
      },
    }),
    endpoint({
      method: 'post',
      path: '/auth/forgot-password',
      operationId: 'forgotPassword',
      tag,
      summary: 'Send an email with a link to set a new password',
      body: forgotPasswordRequest(deps.config),
      responses: accepted('If such an account exists, an email is on its way'),
      errors: [],
      limits: mailLimits,
      prepare: async ({ body, call }) => {
        const subject = await readIdentifier(deps, body.identifier);
        return { hits: await mailHits(call, 'forgot', subject.limitKey), subject };
      },
      handler: async ({ c, body, call }, identifier) => {
        await forgotPassword(deps, identifier, body.redirect_to, call);
        const { kind, key } = identifier.name;
        const headers = { ...noStore, ...(await askedHeaders(deps, kind === 'email' ? key : undefined)) };
        return c.json({ message: 'If such an account exists, an email is on its way' }, 202, headers);
      },
    }),
    endpoint({
      method: 'post',
      path: '/auth/reset-password',
      operationId: 'resetPassword',
      tag,
      summary: 'Set a new password',
      description:
        'Ends all sessions and lifts all locks. If the service refuses the password, you can use the link again.',
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
      prepare: ({ c, body, call }) => prepareProof(deps, c, body.proof, call),
      handler: async ({ c, body: { password }, call }, proof) => {
        const { deviceToken } = await resetPassword(deps, { proof, password }, call);
        const headers = { ...noStore, ...deviceHeaders(deps.config, deviceToken) };
        return c.json({ message: 'Password changed' }, 200, headers);
      },
    }),
    guardedEndpoint({
      method: 'post',
      path: '/users/change-email',
      operationId: 'changeEmail',
      tag,
      summary: 'Change the email address',
      description: 'Sends an email to the new address. The address changes when the user confirms it there.',
      sensitive: true,
      body: mailRequest(deps.config),
      responses: {
        202: {
          description: 'The answer is the same whether or not the address is free',
          schema: says('Check your new email address to confirm the change'),
          headers: askedResponseHeaders,
        },
      },
      errors: [],
      limits: mailLimits,
      prepare: async ({ caller, body, call }) => {
        const [key] = await blindIndexes(deps.keyring, 'email', body.email.key);
        return { hits: await mailHits(call, 'change', caller.userId, key), subject: undefined };
      },
      handler: async ({ c, body, caller, call }) => {
        await changeEmail(deps, caller, body, call);
        const headers = { ...noStore, ...(await askedHeaders(deps, body.email.key)) };
        return c.json({ message: 'Check your new email address to confirm the change' }, 202, headers);
      },
    }),
    endpoint({
      method: 'post',
      path: '/auth/confirm-email-change',
      operationId: 'confirmEmailChange',
      tag,
      summary: 'Confirm a new email address',
      description: 'Sends an email to the old address. Its link can undo the change for seven days.',
      body: proofRequest,
      responses: ok('The address is changed', 'Email changed'),
      errors: ['link_expired', 'identifier_taken'],
      limits: proofLimits,
      prepare: ({ c, body, call }) => prepareProof(deps, c, body, call),
      handler: async ({ c, call }, proof) => {
        await confirmEmailChange(deps, proof, call);
        return c.json({ message: 'Email changed' }, 200, noStore);
      },
    }),
    endpoint({
      method: 'post',
      path: '/auth/undo-email-change',
      operationId: 'undoEmailChange',
      tag,
      summary: 'Undo a change of email address',
      description: 'Ends all sessions and removes the password. An email to choose a new one follows.',
      body: tokenRequest,
      responses: ok('The old address is back', 'The old address is back. Check your email to choose a new password'),
      errors: ['link_expired', 'identifier_taken'],
      limits: ['proof_address'],
      prepare: async ({ call }) => ({ hits: [await proofByAddress(call)], subject: undefined }),
      handler: async ({ c, body, call }) => {
        await undoEmailChange(deps, body.token, call);
        return c.json({ message: 'The old address is back. Check your email to choose a new password' }, 200, noStore);
      },
    }),
  ];
}
