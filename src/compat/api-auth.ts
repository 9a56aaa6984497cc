import type { Table } from './table.ts';

/** FastAPI with mail and sessions, under `/api/auth`. Its `/healthz` and `/readyz` are ours too. */
export const apiAuth: Table = {
  rows: [
    { method: 'post', path: '/api/auth/email/register', operation: 'register' },
    { method: 'post', path: '/api/auth/login', operation: 'login' },
    { method: 'post', path: '/api/auth/password/reset/request', operation: 'forgotPassword' },
    {
      method: 'post',
      path: '/api/auth/password/reset/confirm',
      operation: 'resetPassword',
      fields: { new_password: 'password' },
    },
    { method: 'post', path: '/api/auth/email/verify', operation: 'verifyEmail' },
    { method: 'get', path: '/api/auth/test/public', operation: 'health' },
    { method: 'get', path: '/api/auth/me', operation: 'me' },
    { method: 'post', path: '/api/auth/logout', operation: 'logout' },
    { method: 'post', path: '/api/auth/logout-all', operation: 'logoutAll' },
    { method: 'post', path: '/api/auth/refresh', operation: 'refresh', bearer: 'refresh_token' },
    { method: 'get', path: '/api/auth/sessions', operation: 'listSessions' },
    { method: 'delete', path: '/api/auth/sessions/{id}', operation: 'revokeSession' },
    { method: 'get', path: '/api/auth/test/protected', operation: 'verifyToken' },
    { method: 'get', path: '/api/auth/openapi.json', operation: 'openapi' },
    { method: 'get', path: '/api/auth/docs', operation: 'docs' },
    { method: 'get', path: '/api/auth/admin/users', operation: 'listUsers' },
  ],
};
