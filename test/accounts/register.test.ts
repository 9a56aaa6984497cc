import { expect, it } from 'vitest';
import { password, testApp } from '../support/test-app.ts';

it('registers with an email and a username and signs in', async () => {
  const { request, logLines } = await testApp();
  const body = {
    email: ' Ann@EXAMPLE.com ',
    username: 'Ann',
    password,
    name: 'Ann',
    surname: 'Lee',
    phone_number: '+1 415 555 0100',
  };
  const registered = await request('POST', '/auth/register', { body });
  console.log(logLines.join('\n'));
  expect(registered.body).toMatchObject({ token_type: 'Bearer' });
  expect(registered.status).toBe(201);
  const me = await request('GET', '/users/me', { token: registered.body.access_token });
  expect(me.body).toMatchObject({
    email: 'Ann@example.com',
    username: 'Ann',
    name: 'Ann',
    phone_number: '+14155550100',
    roles: ['user'],
  });
  const refreshed = await request('POST', '/auth/refresh', { body: { refresh_token: registered.body.refresh_token } });
  expect(refreshed.status).toBe(200);
  const login = await request('POST', '/auth/login', { body: { identifier: 'aNN@example.com', password } });
  expect(login.status).toBe(200);
  const v = await request('GET', '/auth/verify-token', { token: login.body.access_token });
  expect(v.status).toBe(200);
  const out = await request('POST', '/auth/logout', { token: login.body.access_token });
  expect(out.status).toBe(200);
  expect((await request('GET', '/auth/verify-token', { token: login.body.access_token })).status).toBe(401);
  const all = await request('POST', '/auth/logout-all', { token: refreshed.body.access_token });
  expect(all.body).toMatchObject({ sessions_ended: 1 });
  expect((await request('GET', '/users/me', { token: refreshed.body.access_token })).status).toBe(401);
  console.log(logLines.join('\n'));
});
