import { expect, it } from 'vitest';
import { makeRole, type Person, registerAdmin, registerWith } from '../support/admin.ts';
import { type TestApp, testApp } from '../support/test-app.ts';

const actions = ['disable', 'enable', 'revoke-sessions', 'force-password-reset', 'delete'] as const;

async function act({ request }: TestApp, by: Person, on: Person, action: (typeof actions)[number]): Promise<number> {
  const path = `/admin/users/${on.id}`;
  const [method, target] = action === 'delete' ? ['DELETE', path] : ['POST', `${path}/${action}`];
  return (await request(method ?? '', target ?? '', { token: by.access })).status;
}

it('nobody acts on somebody with a power that they do not hold, whatever the roles are called', async () => {
  const app = await testApp({ variables: { LIMIT_WRITE_USER: '1000/60', LIMIT_REGISTER_ADDRESS: '1000/60' } });
  const helpdesk = ['users:read', 'users:write', 'users:delete', 'sessions:revoke'];
  await makeRole(app, 'helpdesk', helpdesk);
  await makeRole(app, 'auditor', ['audit:read']);
  await makeRole(app, 'granter', ['roles:write', ...helpdesk]);
  await makeRole(app, 'badge', []);
  const admin = await registerAdmin(app);
  const by = { helpdesk: await registerWith(app, ['helpdesk']), granter: await registerWith(app, ['granter']) };
  const may = async (actor: Person, roles: readonly string[]) => {
    const statuses: number[] = [];
    for (const action of actions) statuses.push(await act(app, actor, await registerWith(app, roles), action));
    return [...new Set(statuses)];
  };
  expect(await may(by.helpdesk, ['user', 'badge', 'unknown'])).toEqual([200]);
  expect(await may(by.helpdesk, ['helpdesk'])).toEqual([200]);
  for (const roles of [['auditor'], ['granter'], ['admin'], ['user', 'auditor']]) {
    expect(await may(by.helpdesk, roles)).toEqual([403]);
  }
  for (const roles of [['auditor'], ['granter'], ['admin']]) expect(await may(by.granter, roles)).toEqual([200]);
  expect(await act(app, by.helpdesk, admin, 'disable')).toBe(403);
});
