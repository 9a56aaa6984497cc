import * as z from 'zod';
import { userAgentFields } from '../audit/user-agent.ts';

/** A token response (RFC 6749 section 5.1). */
export const tokens = z
  .object({
    access_token: z.string().describe('RFC 9068, RS256: verify it with the JWKS'),
    token_type: z.literal('Bearer'),
    expires_in: z.int().describe('Seconds'),
    refresh_token: z.string().describe('Good once; a repeat within some seconds gives the same answer'),
    refresh_token_expires_in: z.int().describe('Seconds, if it is not used before'),
    scope: z.string(),
  })
  .meta({ id: 'Tokens' });

const refreshToken = z.string().min(1).max(256);

export const refreshRequest = z
  .object({ refresh_token: refreshToken })
  .meta({ id: 'RefreshRequest', examples: [{ refresh_token: '<refresh_token>' }] });

export const logoutRequest = z
  .object({ refresh_token: refreshToken.optional() })
  .meta({ id: 'LogoutRequest', examples: [{ refresh_token: '<refresh_token>' }] });

export const logoutAllRequest = z
  .object({ except_current: z.boolean().default(false).describe('The session that asks lives on') })
  .meta({ id: 'LogoutAllRequest', examples: [{ except_current: true }] });

export const openSession = z
  .object({
    id: z.uuid(),
    created_at: z.iso.datetime(),
    last_seen_at: z.iso.datetime().describe('When its tokens were last refreshed'),
    address: z.string().nullable().describe('Truncated: /24 for IPv4, /48 for IPv6'),
    user_agent: z.string().nullable(),
    ...userAgentFields,
    current: z.boolean().describe('Whether it is the one that asks'),
  })
  .meta({ id: 'Session' });

/** The ids of sessions are lower case wherever they are looked for. */
export const sessionParams = z.object({ id: z.uuid().toLowerCase() });

export const message = z.object({ message: z.string() });
