import { expect, it } from 'vitest';
import { authorityOf, hasDotSegments, isHost } from '../../src/http/target.ts';

it.each([
  '/auth/verify-token/../../health',
  '/auth/verify-token/a/..',
  '/a/./b',
  '/a/%2e%2E/b',
  '/a/.%2e#',
  '/a\\..\\b',
  'http://other.example/../health',
  '/a/.\t./b',
])('finds dot segments in %s', (target) => {
  expect(hasDotSegments(target)).toBe(true);
});

it.each(['/', '/.well-known/jwks.json', '/auth/verify-token/a..b/...', '/a?next=/../b', '/%2fa', '*', ''])(
  'leaves %s alone, which reads as it was sent',
  (target) => {
    expect(hasDotSegments(target)).toBe(false);
  },
);

it.each(['x', 'localhost:8787', 'auth.example.com', '192.0.2.1:80', '[::1]', '[::1]:443', 'x:', 'müller.example'])(
  '%s is a host',
  (text) => {
    expect(isHost(text)).toBe(true);
  },
);

it.each([
  '',
  'x/health?',
  'x?',
  'x#',
  'x\\y',
  'name@x',
  'name:secret@x',
  '@x',
  'x:99999',
  'x:1:2',
  '[::zz',
  'x y',
  'x\ty',
])('%j is no host', (text) => {
  expect(isHost(text)).toBe(false);
});

it('finds the host in a target that is a whole address', () => {
  expect(authorityOf('HTTP://name@x:1/y')).toBe('name@x:1');
  expect(authorityOf('/http://x/y')).toBeUndefined();
});
