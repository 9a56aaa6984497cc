import * as z from 'zod';
import type { ActivityRow } from './store.ts';
import { describeUserAgent, exampleOrigin, userAgentFields } from './user-agent.ts';

export const exampleActivity = {
  id: '019b8a2e-5c22-7b16-a4d9-0f8e3c627b19',
  type: 'login',
  result: 'success',
  created_at: '2026-01-04T09:30:00.000Z',
  ...exampleOrigin,
  session_id: '019b8a2e-5c21-7a90-8c3f-2b75d1e6f084',
};

export const activity = z
  .object({
    id: z.uuid(),
    type: z.string(),
    result: z.enum(['success', 'failure']),
    created_at: z.iso.datetime(),
    address: z.string().nullable().describe('Truncated: /24 for IPv4, /48 for IPv6'),
    user_agent: z.string().nullable(),
    ...userAgentFields,
    session_id: z.uuid().nullable(),
  })
  .meta({ id: 'Activity', examples: [exampleActivity] });

/** A security event as the user sees it: of what an admin did, not from where. */
export function toActivity(event: ActivityRow): z.output<typeof activity> {
  const isOwn = event.actorId === null;
  const row = isOwn ? event : { ...event, address: null, userAgent: null, sessionId: null };
  return {
    id: row.id,
    type: row.type,
    result: row.result,
    created_at: row.createdAt.toISOString(),
    address: row.address,
    user_agent: row.userAgent,
    ...describeUserAgent(row.userAgent),
    session_id: row.sessionId,
  };
}
