import { expect, it } from 'vitest';
import { hasDotSegments } from '../../src/http/target.ts';

it.each([
  '/auth/verify-token/../../health',
  '/auth/verify-token/a/..',
  '/a/./b',
  '/a/%2e%2E/b',
  '/a/.%2e#',
  '/a\\..\\b',
  'http://other.example/../health',
])('finds dot segments in %s', (target) => {
  expect(hasDotSegments(target)).toBe(true);
});

it.each(['/', '/.well-known/jwks.json', '/auth/verify-token/a..b/...', '/a?next=/../b', '/%2fa', '*', ''])(
  'leaves %s alone, which reads as it was sent',
  (target) => {
    expect(hasDotSegments(target)).toBe(false);
  },
);
