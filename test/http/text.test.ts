import { describe, expect, it } from 'vitest';
import { refuseNul } from '../../src/http/text.ts';
import { registerAdmin } from '../support/admin.ts';
import { testApp } from '../support/test-app.ts';

const nul = '\u0000';

describe('NUL, which Postgres keeps in no text,', () => {
  it('is refused in bodies and queries, and the answer names the field', async () => {
    const app = await testApp();
    const { access: token } = await registerAdmin(app);
    const faults = async (method: string, path: string, body?: object) => {
      const answer = await app.request(method, path, { token, ...(body === undefined ? {} : { body }) });
      return [answer.status, answer.body.code, answer.body.errors?.map((error: { path: string }) => error.path)];
    };
    const invalid = (...paths: string[]) => [422, 'validation_failed', paths];
    expect(await faults('POST', '/admin/events/replay', { sink: nul })).toEqual(invalid('sink'));
    expect(await faults('GET', '/admin/events?sink=%00')).toEqual(invalid('sink'));
    expect(await faults('GET', '/admin/users?role=a%00')).toEqual(invalid('role'));
    expect(await faults('GET', '/admin/audit?type=login%00')).toEqual(invalid('type'));
    expect(await faults('GET', '/admin/users?limit%00=1')).toEqual(invalid(''));
    expect(await faults('POST', '/auth/login', { identifier: `a${nul}`, password: nul })).toEqual(
      invalid('identifier', 'password'),
    );
    expect(await faults('POST', '/auth/register', { password: 'x', [`${nul}email`]: 'x' })).toEqual(invalid(''));
    expect(await faults('PUT', '/admin/users/x/roles', { roles: ['user', `a${nul}`] })).toEqual([
      404,
      'not_found',
      undefined,
    ]);
  });

  it('in a path leads nowhere', async () => {
    const app = await testApp();
    const { access: token } = await registerAdmin(app);
    for (const path of ['/admin/users/a%00', '/users/sessions/%00', '/events/schemas/a%00/1', '/%00', '/docs/a/b%00']) {
      const method = path.startsWith('/users') ? 'DELETE' : 'GET';
      expect((await app.request(method, path, { token })).status).toBe(404);
    }
  });

  it('is found however deep it stands', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(20_000)}"\\u0000"${']'.repeat(20_000)}`);
    expect(() => refuseNul(deep)).toThrow();
    expect(() => refuseNul({ a: [{ b: 'x' }], c: null, d: 1 })).not.toThrow();
  });
});

it('a text that is no Unicode is no failure of the database', async () => {
  const app = await testApp();
  const { access: token } = await registerAdmin(app);
  const lone = String.fromCharCode(0xd800);
  const { status } = await app.request('POST', '/admin/events/replay', { token, body: { sink: lone } });
  expect(status).toBe(200);
});
