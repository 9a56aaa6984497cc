import * as z from 'zod';
import type { Caller } from '../call.ts';
import type { ProblemCode } from '../errors.ts';
import { type Endpoint, guardedEndpoint } from '../http/endpoint.ts';
import type { Hit } from '../limits/rate-limit.ts';
import type { Permission } from '../roles/permissions.ts';
import { message } from '../sessions/schemas.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import {
  type Action,
  disableUser,
  enableUser,
  forcePasswordReset,
  removeUser,
  revokeSessions,
  setRoles,
} from './change-user.ts';
import { adminUser, createUserRequest, rolesAnswer, rolesRequest, userParams } from './schemas.ts';
import { createUser } from './users.ts';

const noStore = { 'Cache-Control': 'no-store' };
const tag = 'Administration';
const hitsOf = (caller: Caller): Hit<'write_user'>[] => [{ policy: 'write_user', key: caller.userId }];

/** What is done to one user and takes no body. */
interface ActionDefinition {
  readonly method: 'post' | 'delete';
  readonly path: string;
  readonly permission: Permission;
  readonly operationId: string;
  readonly summary: string;
  readonly errors: readonly ProblemCode[];
  /** @returns how many sessions ended, where any can */
  readonly run: (deps: SessionDeps, action: Action) => Promise<unknown>;
  readonly done: string;
  /** Leads to a mail. */
  readonly mails?: boolean;
}

const actionAnswer = (done: string) =>
  message.extend({ sessions_ended: z.int().optional() }).meta({ examples: [{ message: done, sessions_ended: 1 }] });

function actionEndpoint(deps: SessionDeps, { run, done, mails = false, ...contract }: ActionDefinition): Endpoint {
  return guardedEndpoint({
    ...contract,
    tag,
    description: 'If the user holds a permission that you do not hold, you also need `roles:write`.',
    sensitive: true,
    params: userParams,
    responses: { 200: { description: done, schema: actionAnswer(done) } },
    limits: mails ? ['write_user', 'mail_account'] : ['write_user'],
    prepare: ({ caller, params }) => {
      const mailed: Hit<'mail_account'>[] = mails ? [{ policy: 'mail_account', key: `admin:${params.id}` }] : [];
      return { hits: [...hitsOf(caller), ...mailed], subject: undefined };
    },
    handler: async ({ c, params, caller, call }) => {
      const ended = await run(deps, { userId: params.id, actor: caller, call });
      return c.json({ message: done, ...(typeof ended === 'number' ? { sessions_ended: ended } : {}) }, 200, noStore);
    },
  });
}

const actions: readonly ActionDefinition[] = [
  {
    method: 'post',
    path: '/admin/users/{id}/disable',
    permission: 'users:write',
    operationId: 'disableUser',
    summary: 'Disable a user and end all their sessions',
    errors: ['last_admin'],
    run: disableUser,
    done: 'User disabled',
  },
  {
    method: 'post',
    path: '/admin/users/{id}/enable',
    permission: 'users:write',
    operationId: 'enableUser',
    summary: 'Enable a disabled user',
    errors: [],
    run: enableUser,
    done: 'User enabled',
  },
  {
    method: 'post',
    path: '/admin/users/{id}/force-password-reset',
    permission: 'users:write',
    operationId: 'forcePasswordReset',
    summary: 'Remove the password, end all sessions and send a link to choose a new password',
    errors: ['email_missing', 'last_admin', 'precondition_failed'],
    run: forcePasswordReset,
    done: 'Password removed. The user gets an email to choose a new one',
    mails: true,
  },
  {
    method: 'post',
    path: '/admin/users/{id}/revoke-sessions',
    permission: 'sessions:revoke',
    operationId: 'revokeUserSessions',
    summary: 'End all sessions of a user',
    errors: [],
    run: revokeSessions,
    done: 'Sessions ended',
  },
  {
    method: 'delete',
    path: '/admin/users/{id}',
    permission: 'users:delete',
    operationId: 'deleteUser',
    summary: 'Delete a user and all their data',
    errors: ['last_admin'],
    run: removeUser,
    done: 'User deleted',
  },
];

/** What admins change. Each needs a fresh proof of who they are, and is recorded with who did it. */
export function adminActionRoutes(deps: SessionDeps): Endpoint[] {
  return [
    guardedEndpoint({
      method: 'post',
      path: '/admin/users',
      permission: 'users:write',
      operationId: 'createUser',
      tag,
      summary: 'Create a user',
      description:
        'The user gets the role `user`. If you leave out the password, the user gets a mail with a link to choose one.',
      sensitive: true,
      body: createUserRequest(deps.config),
      responses: { 201: { description: 'The user', schema: adminUser } },
      errors: ['identifier_taken'],
      limits: ['write_user'],
      prepare: ({ caller }) => ({ hits: hitsOf(caller), subject: undefined }),
      handler: async ({ c, body, caller, call }) =>
        c.json(await createUser(deps, body, { actor: caller, call }), 201, noStore),
    }),
    guardedEndpoint({
      method: 'put',
      path: '/admin/users/{id}/roles',
      permission: 'roles:write',
      operationId: 'setRoles',
      tag,
      summary: 'Set the roles of a user',
      description: 'Older access tokens of the user stop working. The next refresh returns one with the new roles.',
      sensitive: true,
      params: userParams,
      body: rolesRequest,
      responses: { 200: { description: 'The new roles', schema: rolesAnswer } },
      errors: ['last_admin'],
      limits: ['write_user'],
      prepare: ({ caller }) => ({ hits: hitsOf(caller), subject: undefined }),
      handler: async ({ c, params, body, caller, call }) => {
        await setRoles(deps, { userId: params.id, actor: caller, call }, body.roles);
        return c.json({ roles: body.roles }, 200, noStore);
      },
    }),
    ...actions.map((definition) => actionEndpoint(deps, definition)),
  ];
}
