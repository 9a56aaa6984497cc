import type { Table } from './table.ts';

/**
 * Flask, under `/auth` and `/users`: of its paths this one alone is not ours too. The client that its manual prints
 * keeps the refresh token it signed in with, and throws away those that come back.
 */
export const flask: Table = {
  rows: [{ method: 'post', path: '/auth/refresh-token', operation: 'lastingRefresh' }],
};
