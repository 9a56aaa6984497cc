import type { Admission } from '../http/admission.ts';
import type { Contract } from '../http/contract.ts';
import { type Endpoint, endpoint, guardedEndpoint } from '../http/endpoint.ts';
import { pageOf, pageQuery, toPage } from '../http/page.ts';
import { accessTokenClaims } from '../tokens/access-token.ts';
import { logout, logoutAll, revokeSession } from './end-sessions.ts';
import { listSessions, toOpenSession } from './list.ts';
import { refresh } from './refresh.ts';
import {
  logoutAllAnswer,
  logoutAllRequest,
  logoutRequest,
  openSession,
  refreshRequest,
  says,
  sessionParams,
  tokens,
} from './schemas.ts';
import { readRefreshToken, type SessionDeps } from './sessions.ts';

const noStore = { 'Cache-Control': 'no-store' };
const tag = 'Sessions';

interface RefreshKind extends Pick<Contract, 'path' | 'operationId' | 'description'> {
  readonly firstLasts: boolean;
}

function refreshEndpoint(deps: SessionDeps, { firstLasts, ...contract }: RefreshKind): Endpoint {
  return endpoint({
    ...contract,
    method: 'post',
    tag,
    summary: 'Exchange a refresh token for new tokens',
    body: refreshRequest,
    responses: { 200: { description: 'New tokens', schema: tokens } },
    errors: ['invalid_refresh_token'],
    limits: ['refresh_session'],
    prepare: async ({ body }) => {
      const token = await readRefreshToken(deps, body.refresh_token);
      return { hits: [{ policy: 'refresh_session', key: token.sessionId }], subject: { ...token, firstLasts } };
    },
    handler: async ({ c, call }, token) => c.json(await refresh(deps, token, call), 200, noStore),
  });
}

/** For clients that keep the refresh token they signed in with. No path of ours leads here. */
export const lastingRefresh = (deps: SessionDeps): Endpoint =>
  refreshEndpoint(deps, {
    path: '/auth/refresh-token',
    operationId: 'lastingRefresh',
    firstLasts: true,
    description:
      'You can use the first refresh token of a session repeatedly, until you use one of its successors. ' +
      'From then on each token works once, as in `POST /auth/refresh`.',
  });

export function sessionRoutes(deps: SessionDeps, admission: Admission): Endpoint[] {
  return [
    refreshEndpoint(deps, {
      path: '/auth/refresh',
      operationId: 'refresh',
      firstLasts: false,
      description:
        'Each refresh token works once. If you send it again within the grace window (30 s by default), after a lost ' +
        'response or from a second tab, you get the same new tokens. Later, it ends the session.',
    }),
    endpoint({
      method: 'post',
      path: '/auth/logout',
      operationId: 'logout',
      tag,
      summary: 'End the session',
      description:
        'Send the refresh token in the body, or the access token as the bearer token. Ending a session twice is not an error.',
      security: 'bearer-or-body',
      body: logoutRequest,
      bodyOptional: true,
      responses: { 200: { description: 'The session has ended', schema: says('Signed out') } },
      errors: ['invalid_token', 'invalid_refresh_token'],
      limits: ['logout_address'],
      prepare: async ({ c, body, call }) => {
        const shown = body.refresh_token;
        const { sessionId } =
          shown === undefined
            ? await admission.identify(c.req.header('Authorization'))
            : await readRefreshToken(deps, shown);
        return { hits: [{ policy: 'logout_address', key: await call.addressKey() }], subject: sessionId };
      },
      handler: async ({ c, call }, sessionId) => {
        await logout(deps, sessionId, call);
        return c.json({ message: 'Signed out' }, 200, noStore);
      },
    }),
    guardedEndpoint({
      method: 'post',
      path: '/auth/logout-all',
      operationId: 'logoutAll',
      tag,
      summary: 'End all your sessions, or all others',
      sensitive: true,
      body: logoutAllRequest,
      bodyOptional: true,
      responses: {
        200: { description: 'The sessions have ended', schema: logoutAllAnswer },
      },
      errors: [],
      limits: ['write_user'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'write_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, body, caller: { userId, sessionId }, call }) => {
        const ended = await logoutAll(deps, { userId, sessionId }, body.except_current, call);
        const text = body.except_current ? 'Signed out everywhere else' : 'Signed out everywhere';
        return c.json({ message: text, sessions_ended: ended }, 200, noStore);
      },
    }),
    guardedEndpoint({
      method: 'get',
      path: '/users/sessions',
      operationId: 'listSessions',
      tag,
      summary: 'List your open sessions, newest first',
      query: pageQuery,
      responses: {
        200: { description: 'A page of sessions', schema: pageOf(openSession).meta({ id: 'SessionPage' }) },
      },
      errors: [],
      limits: ['read_user'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'read_user', key: caller.userId }], subject: undefined }),
      handler: async ({ c, caller: { userId, sessionId }, query: { limit, cursor } }) => {
        const rows = await listSessions(deps, userId, { limit: limit + 1, before: cursor });
        return c.json(
          toPage(rows, limit, (row) => toOpenSession(row, sessionId)),
          200,
          noStore,
        );
      },
    }),
    guardedEndpoint({
      method: 'delete',
      path: '/users/sessions/{id}',
      operationId: 'revokeSession',
      tag,
      summary: 'End one of your sessions',
      description:
        'To end a session other than the current one, you must have confirmed your password in the last 10 minutes. ' +
        'Answers 404 if you have no open session with this id.',
      params: sessionParams,
      responses: { 204: { description: 'The session has ended' } },
      errors: ['reauthentication_required', 'not_found'],
      limits: ['write_user'],
      prepare: ({ caller, params }) => {
        if (params.id !== caller.sessionId) admission.requireRecent(caller);
        return { hits: [{ policy: 'write_user', key: caller.userId }], subject: undefined };
      },
      handler: async ({ c, caller: { userId }, params, call }) => {
        await revokeSession(deps, { userId, sessionId: params.id }, call);
        return c.body(null, 204, noStore);
      },
    }),
    guardedEndpoint({
      method: 'get',
      path: '/auth/verify-token',
      anyRequest: true,
      operationId: 'verifyToken',
      tag,
      summary: 'Check an access token for another service',
      description:
        'For nginx `auth_request`, Envoy and Traefik. Accepts any method and any path below this one, reads only the ' +
        '`Authorization` header, and answers 200 with `X-Auth-*` headers to forward, or 401. Unlike a local check ' +
        'with the JWKS, it also detects revoked tokens.',
      responses: {
        200: {
          description: 'The claims of the token',
          schema: accessTokenClaims,
          headers: {
            'X-Auth-Subject': "The user's id",
            'X-Auth-Session': "The session's id",
            'X-Auth-Client': "The client's id",
            'X-Auth-Scope': 'Separated by spaces',
            'X-Auth-Roles': 'Separated by commas',
          },
        },
      },
      errors: [],
      limits: ['verify_session'],
      prepare: ({ caller }) => ({ hits: [{ policy: 'verify_session', key: caller.sessionId }], subject: undefined }),
      handler: ({ c, caller: { claims } }) =>
        c.json(claims, 200, {
          ...noStore,
          'X-Auth-Subject': claims.sub,
          'X-Auth-Session': claims.sid,
          'X-Auth-Client': claims.client_id,
          'X-Auth-Scope': claims.scope,
          'X-Auth-Roles': claims.roles.join(','),
        }),
    }),
  ];
}
