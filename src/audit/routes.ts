import type { Deps } from '../deps.ts';
import { type Endpoint, guardedEndpoint } from '../http/endpoint.ts';
import { pageOf, pageQuery, toPage } from '../http/page.ts';
import { activity, toActivity } from './activity.ts';
import { readActivity } from './store.ts';

export function auditRoutes({ db }: Pick<Deps, 'db'>): Endpoint[] {
  return [
    guardedEndpoint({
      method: 'get',
      path: '/users/activity',
      operationId: 'activity',
      tag: 'Accounts',
      summary: 'List the security events of your account',
      description: 'Includes successful and failed sign-ins. Newest first.',
      query: pageQuery,
      responses: { 200: { description: 'A page of events', schema: pageOf(activity).meta({ id: 'ActivityPage' }) } },
      errors: [],
      limits: ['read_user'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'read_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, caller, query: { limit, cursor } }) => {
        const rows = await readActivity(db, caller.userId, { limit: limit + 1, before: cursor });
        return c.json(toPage(rows, limit, toActivity), 200, { 'Cache-Control': 'no-store' });
      },
    }),
  ];
}
