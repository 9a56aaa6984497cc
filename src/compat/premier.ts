import type { Table } from './table.ts';

/** FastAPI behind a Premier gateway, directly under `/api`. Its `/health` and `/docs` are ours too. */
export const premier: Table = {
  limit: 'compat_endpoint',
  rows: [
    {
      method: 'post',
      path: '/api/register',
      operation: 'registerByAnyName',
      fields: { login: ['email', 'username'] },
      adds: { id: ['user.id'], user_id: ['user.id'] },
    },
    {
      method: 'post',
      path: '/api/login',
      operation: 'login',
      fields: { login: 'identifier' },
      adds: { token: ['access_token'] },
    },
    { method: 'post', path: '/api/logout', operation: 'logout' },
    { method: 'get', path: '/api/profile', operation: 'me', adds: { login: ['username', 'email'], user_id: ['id'] } },
    { method: 'post', path: '/api/delete', operation: 'deleteByCredentials', fields: { login: 'identifier' } },
  ],
};
