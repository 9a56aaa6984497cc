import * as z from 'zod';
import { activity, exampleActivity } from '../audit/activity.ts';
import { isKnown, requiredTags } from '../http/conditional.ts';
import { type Endpoint, guardedEndpoint } from '../http/endpoint.ts';
import { streamOf } from '../http/stream.ts';
import { describeError } from '../ops/log.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { exportAccount } from './export.ts';
import { changeProfile, readProfile } from './profile.ts';
import { exampleUser, profile, profileRequest } from './schemas.ts';

const noStore = { 'Cache-Control': 'no-store' };
const tagged = { ETag: 'A strong tag that changes with the profile' };

const exported = z
  .object({
    exported_at: z.iso.datetime(),
    user: z.looseObject({}),
    sessions: z.array(z.looseObject({})),
    activity: z.array(activity),
    pending: z
      .object({ links: z.array(z.looseObject({})), mails: z.array(z.looseObject({})) })
      .describe('Links that still work, and mails that are waiting to be sent'),
  })
  .meta({
    id: 'AccountExport',
    examples: [
      {
        exported_at: '2026-01-05T12:00:00.000Z',
        user: exampleUser,
        sessions: [{ id: exampleActivity.session_id }],
        activity: [exampleActivity],
        pending: { links: [], mails: [] },
      },
    ],
  });

export function profileRoutes(deps: SessionDeps): Endpoint[] {
  return [
    guardedEndpoint({
      method: 'get',
      path: '/users/profile',
      operationId: 'readProfile',
      tag: 'Accounts',
      summary: 'Get your profile',
      requestHeaders: {
        'If-None-Match': 'The ETag of the profile that you have. The answer is 304 if the profile has not changed',
      },
      responses: {
        200: { description: 'The profile', schema: profile, headers: tagged },
        304: { description: 'The profile has not changed', headers: tagged },
      },
      errors: [],
      limits: ['read_user'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'read_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, caller }) => {
        const { profile: shown, etag } = await readProfile(deps, caller.userId);
        const headers = { ...noStore, ETag: etag };
        return isKnown(c.req.header('If-None-Match'), etag) ? c.body(null, 304, headers) : c.json(shown, 200, headers);
      },
    }),
    guardedEndpoint({
      method: 'put',
      path: '/users/profile',
      operationId: 'changeProfile',
      tag: 'Accounts',
      summary: 'Replace your profile',
      description:
        'Missing fields become null. With `If-Match`, the service replaces the profile only if nobody has changed it since you read it.',
      body: profileRequest,
      requestHeaders: {
        'If-Match': 'The ETag of the profile that you replace. The answer is 412 if the profile has changed',
      },
      responses: { 200: { description: 'The new profile', schema: profile, headers: tagged } },
      errors: ['precondition_failed'],
      limits: ['write_user'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'write_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, body, caller: { userId, sessionId }, call }) => {
        const required = requiredTags(c.req.header('If-Match'));
        const changed = await changeProfile(deps, { userId, sessionId }, body, required, call);
        return c.json(changed.profile, 200, { ...noStore, ETag: changed.etag });
      },
    }),
    guardedEndpoint({
      method: 'get',
      path: '/users/export',
      operationId: 'exportAccount',
      sensitive: true,
      tag: 'Accounts',
      summary: 'Export all your data',
      responses: {
        200: {
          description:
            'The user, all sessions including ended ones, and all security events, newest first. Browsers save it as a file',
          schema: exported,
          headers: { 'Content-Disposition': 'The name of the file' },
        },
      },
      errors: [],
      limits: ['export_user'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'export_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, caller }) => {
        const pieces = await exportAccount(deps, caller.userId);
        const requestId = c.get('requestId');
        const body = streamOf(pieces, (error) => {
          deps.log.error('export_failed', { request_id: requestId, ...describeError(error) });
        });
        return c.body(body, 200, {
          ...noStore,
          'Content-Type': 'application/json',
          'Content-Disposition': 'attachment; filename="account.json"',
        });
      },
    }),
  ];
}
