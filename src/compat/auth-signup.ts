import type { Table } from './table.ts';

/** FastAPI with RabbitMQ, under `/auth`. Its `/`, `/auth/login`, `/auth/refresh` and `/auth/logout` are ours too. */
export const authSignup: Table = {
  rows: [
    { method: 'post', path: '/auth/signup', operation: 'register' },
    { method: 'get', path: '/auth/me', operation: 'me' },
  ],
};
