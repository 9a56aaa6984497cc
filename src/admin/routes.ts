import { emailRequest } from '../accounts/mail-schemas.ts';
import { readActivity } from '../audit/store.ts';
import type { Call, Caller } from '../call.ts';
import { type Endpoint, guardedEndpoint } from '../http/endpoint.ts';
import { pageOf, pageQuery, toPage } from '../http/page.ts';
import { noteView } from '../sessions/notes.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { readSessions } from '../sessions/store.ts';
import { listAudit, toAdminSession, toAuditEvent } from './audit.ts';
import {
  adminSession,
  adminUser,
  auditEvent,
  auditFilters,
  refuseMisfits,
  userFilters,
  userParams,
} from './schemas.ts';
import { findUser, listUsers, readOneUser, refuseUnknown } from './users.ts';

const noStore = { 'Cache-Control': 'no-store' };
const userQuery = pageQuery.extend(userFilters.shape).superRefine(refuseMisfits);
const auditQuery = pageQuery.extend(auditFilters.shape);
const tag = 'Administration';
const reads = ({ caller }: { readonly caller: Caller }) => ({
  hits: [{ policy: 'read_user', key: caller.userId } as const],
  subject: undefined,
});

interface View {
  readonly caller: Caller;
  readonly call: Call;
}

/** What admins look at. What they change stands in `action-routes.ts`. */
export function adminRoutes(deps: SessionDeps): Endpoint[] {
  const { db } = deps;
  const note = (type: Parameters<typeof noteView>[1], { caller, call }: View, userId: string | null = null) =>
    call.after(() => noteView(deps, type, { actor: caller, userId, origin: call.origin }));
  const userPage = pageOf(adminUser).meta({ id: 'UserPage' });
  const auditPage = pageOf(auditEvent).meta({ id: 'AuditPage' });
  return [
    guardedEndpoint({
      method: 'get',
      path: '/admin/users',
      permission: 'users:read',
      operationId: 'listUsers',
      tag,
      summary: 'List users',
      description:
        'Newest first. With `username`, the list holds the users whose username starts with it, sorted by username.',
      query: userQuery,
      responses: { 200: { description: 'A page of users', schema: userPage } },
      errors: [],
      limits: ['read_user'],
      prepare: reads,
      handler: async ({ c, query, ...view }) => {
        note('users_listed', view);
        return c.json(await listUsers(deps, query), 200, noStore);
      },
    }),
    guardedEndpoint({
      method: 'post',
      path: '/admin/users/search',
      permission: 'users:read',
      operationId: 'searchUsers',
      tag,
      summary: 'Find a user by email address',
      description: 'Send the address in the body, because URLs end up in logs. If no user has it, the page is empty.',
      body: emailRequest,
      responses: { 200: { description: 'A page of one user at most', schema: userPage } },
      errors: [],
      limits: ['read_user'],
      prepare: reads,
      handler: async ({ c, body, ...view }) => {
        const items = await findUser(deps, body.email);
        note('user_searched', view, items[0]?.id);
        return c.json({ items, next_cursor: null }, 200, noStore);
      },
    }),
    guardedEndpoint({
      method: 'get',
      path: '/admin/users/{id}',
      permission: 'users:read',
      operationId: 'readUser',
      tag,
      summary: 'Get a user',
      params: userParams,
      responses: { 200: { description: 'The user', schema: adminUser } },
      errors: ['not_found'],
      limits: ['read_user'],
      prepare: reads,
      handler: async ({ c, params, ...view }) => {
        note('user_viewed', view, params.id);
        return c.json(await readOneUser(deps, params.id), 200, noStore);
      },
    }),
    guardedEndpoint({
      method: 'get',
      path: '/admin/users/{id}/sessions',
      permission: 'users:read',
      operationId: 'listUserSessions',
      tag,
      summary: 'List the sessions of a user, including ended ones',
      params: userParams,
      query: pageQuery,
      responses: {
        200: { description: 'A page of sessions', schema: pageOf(adminSession).meta({ id: 'AdminSessionPage' }) },
      },
      errors: ['not_found'],
      limits: ['read_user'],
      prepare: reads,
      handler: async ({ c, params, query: { limit, cursor }, ...view }) => {
        note('user_viewed', view, params.id);
        const rows = await readSessions(db, params.id, { limit: limit + 1, before: cursor });
        if (rows.length === 0) await refuseUnknown(db, params.id);
        return c.json(toPage(rows, limit, toAdminSession), 200, noStore);
      },
    }),
    guardedEndpoint({
      method: 'get',
      path: '/admin/users/{id}/activity',
      permission: 'audit:read',
      operationId: 'listUserActivity',
      tag,
      summary: 'List the security events of a user, newest first',
      params: userParams,
      query: pageQuery,
      responses: { 200: { description: 'A page of events', schema: auditPage } },
      errors: ['not_found'],
      limits: ['read_user'],
      prepare: reads,
      handler: async ({ c, params, query: { limit, cursor }, ...view }) => {
        note('user_viewed', view, params.id);
        const rows = await readActivity(db, params.id, { limit: limit + 1, before: cursor });
        if (rows.length === 0) await refuseUnknown(db, params.id);
        return c.json(toPage(rows, limit, toAuditEvent), 200, noStore);
      },
    }),
    guardedEndpoint({
      method: 'get',
      path: '/admin/audit',
      permission: 'audit:read',
      operationId: 'listAudit',
      tag,
      summary: 'Search the audit log, newest first',
      query: auditQuery,
      responses: { 200: { description: 'A page of events', schema: auditPage } },
      errors: [],
      limits: ['read_user'],
      prepare: reads,
      handler: async ({ c, query, ...view }) => {
        note('audit_viewed', view);
        return c.json(toPage(await listAudit(deps, query), query.limit, toAuditEvent), 200, noStore);
      },
    }),
  ];
}
