import * as z from 'zod';
import { exampleOrigin, userAgentFields } from '../audit/user-agent.ts';

const exampleSession = '019b8a2e-5c21-7a90-8c3f-2b75d1e6f084';

export const exampleTokens = {
  access_token: 'eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTliOGEyZSJ9.c2lnbmF0dXJl',
  token_type: 'Bearer',
  expires_in: 900,
  refresh_token: `${exampleSession}.0.bWFj`,
  refresh_token_expires_in: 604_800,
  scope: 'account',
};

/** A token response (RFC 6749 section 5.1). */
export const tokens = z
  .object({
    access_token: z.string().describe('JWT (RFC 9068, RS256). Verify it with the JWKS'),
    token_type: z.literal('Bearer'),
    expires_in: z.int().describe('Seconds'),
    refresh_token: z.string().describe('Works once. A repeat within the grace window returns the same answer'),
    refresh_token_expires_in: z.int().describe('Seconds until it expires if it is not used'),
    scope: z.string(),
  })
  .meta({ id: 'Tokens', examples: [exampleTokens] });

const refreshToken = z.string().min(1).max(256);

export const refreshRequest = z
  .object({ refresh_token: refreshToken })
  .meta({ id: 'RefreshRequest', examples: [{ refresh_token: '<refresh_token>' }] });

export const logoutRequest = z
  .object({ refresh_token: refreshToken.optional() })
  .meta({ id: 'LogoutRequest', examples: [{ refresh_token: '<refresh_token>' }] });

export const logoutAllRequest = z
  .object({ except_current: z.boolean().default(false).describe('Keep the current session') })
  .meta({ id: 'LogoutAllRequest', examples: [{ except_current: true }] });

export const openSession = z
  .object({
    id: z.uuid(),
    created_at: z.iso.datetime(),
    last_seen_at: z.iso.datetime().describe('Time of the last refresh'),
    address: z.string().nullable().describe('Truncated: /24 for IPv4, /48 for IPv6'),
    user_agent: z.string().nullable(),
    ...userAgentFields,
    current: z.boolean().describe('Whether this is the current session'),
  })
  .meta({
    id: 'Session',
    examples: [
      {
        id: exampleSession,
        created_at: '2026-01-04T09:30:00.000Z',
        last_seen_at: '2026-01-04T09:45:00.000Z',
        ...exampleOrigin,
        current: true,
      },
    ],
  });

/** The ids of sessions are lower case wherever they are looked for. */
export const sessionParams = z.object({
  id: z
    .uuid()
    .toLowerCase()
    .meta({ examples: [exampleSession] }),
});

export const message = z.object({ message: z.string() });

/** A message, with an example of what it says. */
export const says = (text: string) => message.meta({ examples: [{ message: text }] });

export const logoutAllAnswer = message
  .extend({ sessions_ended: z.int() })
  .meta({ examples: [{ message: 'Signed out everywhere else', sessions_ended: 2 }] });
