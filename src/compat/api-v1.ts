import type { Table } from './table.ts';

/**
 * FastAPI with roles, under `/api/v1`. Signing in takes JSON, or the form of FastAPI's `OAuth2PasswordRequestForm`
 * (RFC 6749 section 4.3.2). Its `/docs` and `/redoc` are ours too.
 */
export const apiV1: Table = {
  rows: [
    { method: 'post', path: '/api/v1/auth/signup', operation: 'register' },
    { method: 'post', path: '/api/v1/auth/login', operation: 'login', form: true, fixed: { grant_type: 'password' } },
    { method: 'post', path: '/api/v1/auth/refresh', operation: 'refresh' },
    { method: 'get', path: '/api/v1/users/me', operation: 'me' },
    { method: 'get', path: '/api/v1/admin/users', operation: 'listUsers' },
  ],
};
