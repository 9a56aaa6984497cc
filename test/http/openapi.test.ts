import { describe, expect, it } from 'vitest';
import { testApp } from '../support/test-app.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly deprecated?: boolean;
  readonly security: object[];
  readonly responses: Record<string, { description: string }>;
}

/** Paths of older APIs, in the order of their tables. */
const older = [
  '/auth/signup',
  '/auth/me',
  '/auth/refresh-token',
  '/api/v1/auth/signup',
  '/api/v1/auth/login',
  '/api/v1/auth/refresh',
  '/api/v1/users/me',
  '/api/v1/admin/users',
  '/api/register',
  '/api/login',
  '/api/logout',
  '/api/profile',
  '/api/delete',
  '/api/auth/email/register',
  '/api/auth/login',
  '/api/auth/password/reset/request',
  '/api/auth/password/reset/confirm',
  '/api/auth/email/verify',
  '/api/auth/test/public',
  '/api/auth/me',
  '/api/auth/logout',
  '/api/auth/logout-all',
  '/api/auth/refresh',
  '/api/auth/sessions',
  '/api/auth/sessions/{id}',
  '/api/auth/test/protected',
  '/api/auth/openapi.json',
  '/api/auth/docs',
  '/api/auth/admin/users',
];

describe('the OpenAPI document', () => {
  it('describes every endpoint, its body, its answers and its errors', async () => {
    const { request } = await testApp();
    const { status, body } = await request('GET', '/openapi.json');
    expect(status).toBe(200);
    expect(body.openapi).toBe('3.1.0');
    const paths = Object.entries<Record<string, Operation>>(body.paths);
    const isOlder = ([, methods]: (typeof paths)[number]) => Object.values(methods).every((own) => own.deprecated);
    expect(paths.filter(isOlder).map(([path]) => path)).toEqual(older);
    const ours = paths.filter((entry) => !isOlder(entry)).map(([path]) => path);
    expect(ours.toSorted()).toEqual([
      '/',
      '/.well-known/jwks.json',
      '/admin/audit',
      '/admin/events',
      '/admin/events/replay',
      '/admin/events/{id}/replay',
      '/admin/users',
      '/admin/users/search',
      '/admin/users/{id}',
      '/admin/users/{id}/activity',
      '/admin/users/{id}/disable',
      '/admin/users/{id}/enable',
      '/admin/users/{id}/force-password-reset',
      '/admin/users/{id}/revoke-sessions',
      '/admin/users/{id}/roles',
      '/admin/users/{id}/sessions',
      '/auth/confirm-email-change',
      '/auth/forgot-password',
      '/auth/login',
      '/auth/logout',
      '/auth/logout-all',
      '/auth/reauthenticate',
      '/auth/refresh',
      '/auth/register',
      '/auth/resend-verification',
      '/auth/reset-password',
      '/auth/undo-email-change',
      '/auth/verify-email',
      '/auth/verify-token',
      '/docs',
      '/events/schemas/{type}/{version}',
      '/health',
      '/healthz',
      '/metrics',
      '/openapi.json',
      '/readyz',
      '/redoc',
      '/users/activity',
      '/users/change-email',
      '/users/change-password',
      '/users/delete-account',
      '/users/export',
      '/users/me',
      '/users/profile',
      '/users/sessions',
      '/users/sessions/{id}',
    ]);
    const operations: Operation[] = Object.values<object>(body.paths).flatMap((path) => Object.values(path));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const operation of operations) {
      expect(operation.summary).not.toBe('');
      expect(Object.keys(operation.responses)).toContain('503');
    }
    expect(body.paths['/users/me'].get.security).toEqual([{ bearer: [] }, { password: [] }]);
    expect(body.paths['/metrics'].get.security).toEqual([{ metrics: [] }]);
    const { post: disable } = body.paths['/admin/users/{id}/disable'];
    expect(disable.description).toContain('`users:write`');
    expect(disable.responses['403'].description).toContain('forbidden');
    expect(disable.responses['409'].description).toContain('last_admin');
    expect(body.paths['/auth/login'].post.responses['401'].description).toContain('invalid_credentials');
  });

  it('describes the parameters of paths and queries, and the conditional headers', async () => {
    const { request } = await testApp();
    const { body } = await request('GET', '/openapi.json');
    const { delete: revoke } = body.paths['/users/sessions/{id}'];
    expect(revoke.parameters).toEqual([
      { name: 'id', in: 'path', required: true, schema: expect.objectContaining({ type: 'string', format: 'uuid' }) },
    ]);
    expect(revoke.responses).toHaveProperty('404');
    const { get: list } = body.paths['/users/sessions'];
    expect(list.parameters).toMatchObject([
      {
        name: 'limit',
        in: 'query',
        required: false,
        schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
      },
      { name: 'cursor', in: 'query', required: false, schema: { type: 'string', format: 'uuid' } },
    ]);
    expect(list.responses).toHaveProperty('422');
    expect(body.paths['/users/profile'].put.parameters).toMatchObject([{ name: 'If-Match', in: 'header' }]);
    expect(body.paths['/users/me'].get).not.toHaveProperty('parameters');
    const { post: login } = body.paths['/auth/login'];
    expect(login.parameters).toMatchObject([{ name: 'X-Device-Token', in: 'header', required: false }]);
    expect(Object.keys(login.responses['200'].headers)).toEqual(
      expect.arrayContaining(['X-Device-Token', 'Set-Cookie']),
    );
    expect(login.responses['429'].description).toContain('account_locked');
  });

  it('tells the limits that are in force, and the headers that come with them', async () => {
    const { request } = await testApp({ variables: { LIMIT_LOGIN_ADDRESS: '7/9' } });
    const { body } = await request('GET', '/openapi.json');
    const { post: login } = body.paths['/auth/login'];
    expect(login['x-rate-limits']).toContainEqual({ policy: 'login_address', limit: 7, window: 9 });
    expect(login.description).toContain('`login_address` 7 in 9 s');
    const told = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'];
    expect(Object.keys(login.responses['200'].headers)).toEqual(expect.arrayContaining(told));
    expect(Object.keys(login.responses['429'].headers)).toEqual(expect.arrayContaining([...told, 'Retry-After']));
    expect(body.paths['/api/login'].post['x-rate-limits']).toContainEqual({
      ...{ policy: 'compat_endpoint', limit: 100, window: 60 },
    });
    expect(body.paths['/health'].get).not.toHaveProperty('x-rate-limits');
    expect(body.paths['/health'].get.responses).not.toHaveProperty('429');
  });

  it('says where a token can be had with a password, where that is on', async () => {
    const schemesOf = async (COMPAT_APIS: string) => {
      const { body } = await (await testApp({ variables: { COMPAT_APIS } })).request('GET', '/openapi.json');
      return [body.components.securitySchemes, body.paths['/users/me'].get.security];
    };
    const [schemes] = await schemesOf('api-v1');
    expect(schemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      password: { type: 'oauth2', flows: { password: { tokenUrl: 'https://auth.test/api/v1/auth/login' } } },
    });
    const [others, security] = await schemesOf('flask');
    expect(Object.keys(others)).toEqual(['bearer', 'metrics']);
    expect(security).toEqual([{ bearer: [] }]);
  });

  it('describes older paths in their words, as deprecated', async () => {
    const { request } = await testApp();
    const { body } = await request('GET', '/openapi.json');
    const schemaOf = (path: string, type = 'application/json') =>
      body.paths[path].post.requestBody.content[type]?.schema;
    const { post: login } = body.paths['/api/login'];
    expect(login).toMatchObject({ deprecated: true, tags: ['Older API: premier'] });
    expect(login.description).toContain('`POST /auth/login`');
    expect(schemaOf('/api/login')).toMatchObject({
      required: ['password'],
      properties: { login: { type: 'string' } },
      examples: [{ login: 'ann@example.com', password: 'correct horse battery staple' }],
    });
    expect(schemaOf('/api/register')).toMatchObject({ required: ['login', 'password'] });
    expect(Object.keys(schemaOf('/api/register').properties)).not.toContain('email');
    const registered = login.responses['200'].content['application/json'].schema;
    expect(registered.properties.token).toEqual({ type: 'string', description: expect.any(String) });
    const form = schemaOf('/api/v1/auth/login', 'application/x-www-form-urlencoded');
    expect(form.properties.grant_type).toEqual({ const: 'password' });
    expect(schemaOf('/api/login', 'application/x-www-form-urlencoded')).toBeUndefined();
    expect(schemaOf('/api/auth/login')).toEqual({ $ref: '#/components/schemas/LoginRequest' });
    expect(body.paths['/api/auth/refresh'].post.requestBody.required).toBe(false);
  });

  it('says of every field what it takes', async () => {
    const { request } = await testApp();
    const { body } = await request('GET', '/openapi.json');
    const empty: string[] = [];
    const look = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        const isProperty = path.endsWith('/properties');
        if (isProperty && JSON.stringify(inner) === '{}') empty.push(`${path}/${key}`);
        if (key !== 'examples') look(inner, `${path}/${key}`);
      }
    };
    look(body, '');
    expect(empty).toEqual([]);
    expect(body.components.schemas.RolesRequest.properties.roles).toMatchObject({ type: 'array', maxItems: 16 });
  });

  it('holds every schema that it refers to, and what the schemas say', async () => {
    const { request } = await testApp();
    const { body } = await request('GET', '/openapi.json');
    const text = JSON.stringify(body);
    const references = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect(references.length).toBeGreaterThan(10);
    expect(Object.keys(body.components.schemas)).toEqual(expect.arrayContaining([...new Set(references)]));
    expect(text).not.toContain('$defs');
    expect(body.components.schemas.RegisterRequest).toMatchObject({
      type: 'object',
      required: ['password'],
      properties: { email: { type: 'string' }, phone_number: { type: 'string' } },
    });
    expect(body.components.schemas.LoginRequest).toMatchObject({ required: ['password'] });
    expect(body.components.schemas.User.properties.created_at).toMatchObject({ format: 'date-time' });
  });
});
