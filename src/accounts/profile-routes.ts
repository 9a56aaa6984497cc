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
const tagged = { ETag: 'Strong; changes with the profile' };

const exported = z
  .object({
    exported_at: z.iso.datetime(),
    user: z.looseObject({}),
    sessions: z.array(z.looseObject({})),
    activity: z.array(activity),
    pending: z
      .object({ links: z.array(z.looseObject({})), mails: z.array(z.looseObject({})) })
      .describe('Links that are still good, and mails on their way'),
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
      summary: 'The profile of the caller',
      requestHeaders: { 'If-None-Match': 'The ETag of what is there already: then 304' },
      responses: {
        200: { description: 'The profile', schema: profile, headers: tagged },
        304: { description: 'It has not changed', headers: tagged },
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
      summary: 'Replace what the caller says about themselves',
      description: 'What is missing is null afterwards. With `If-Match`, only what the client has seen is replaced.',
      body: profileRequest,
      requestHeaders: { 'If-Match': 'The ETag of the profile that this one replaces: another one is 412' },
      responses: { 200: { description: 'The profile as it is now', schema: profile, headers: tagged } },
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
      summary: 'Everything that is held about the caller',
      responses: {
        200: {
          description: 'The user, all sessions, also ended ones, and all events, newest first; to be saved as a file',
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
