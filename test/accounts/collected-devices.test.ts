import { expect, it } from 'vitest';
import { secretsTo } from '../support/mail.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const unlimited = {
  LIMIT_LOGIN_ADDRESS: '10000/60',
  LIMIT_LOGIN_KNOWN_ADDRESS: '10000/60',
  LIMIT_MAIL_ACCOUNT: '100/60',
};
const next = 'another battery staple';

const signIn = ({ request }: TestApp, identifier: string, typed: string, device?: string) =>
  request('POST', '/auth/login', {
    body: { identifier, password: typed },
    ...(device === undefined ? {} : { headers: { 'X-Device-Token': device } }),
  });

async function collect(app: TestApp, email: string, count: number): Promise<string[]> {
  const devices: string[] = [];
  for (let n = 0; n < count; n += 1) {
    devices.push((await signIn(app, email, password)).headers.get('X-Device-Token') ?? '');
  }
  return devices;
}

/** How many wrong passwords are looked at, each device as often as it may. */
async function guess(app: TestApp, email: string, devices: readonly string[]): Promise<number> {
  let looked = 0;
  for (let round = 0; round < 6; round += 1) {
    for (const device of devices) {
      if ((await signIn(app, email, 'a wrong password', device)).status === 401) looked += 1;
    }
  }
  return looked;
}

const ends: Record<string, (app: TestApp, user: { email: string; access: string }) => Promise<string>> = {
  async 'a reset of the password'(app, { email }) {
    await app.request('POST', '/auth/forgot-password', { body: { email } });
    const { token } = secretsTo(app, email);
    const { headers } = await app.request('POST', '/auth/reset-password', { body: { token, password: next } });
    return headers.get('X-Device-Token') ?? '';
  },
  async 'a change of the password'(app, { access }) {
    const body = { current_password: password, new_password: next };
    const { headers } = await app.request('POST', '/users/change-password', { token: access, body });
    return headers.get('X-Device-Token') ?? '';
  },
  async 'the deletion of the account'(app, { email, access }) {
    await app.request('DELETE', '/users/delete-account', { token: access, body: { password } });
    const again = await app.request('POST', '/auth/register', { body: { email, password: next } });
    return again.headers.get('X-Device-Token') ?? '';
  },
};

for (const [name, end] of Object.entries(ends)) {
  it(`device tokens that were collected before ${name} give no more guesses than a stranger has`, async () => {
    const app = await testApp({ variables: unlimited });
    const user = await registerUser(app);
    const devices = await collect(app, user.email, 12);
    const own = await end(app, user);
    expect(await guess(app, user.email, devices)).toBe(5);
    // Nor do they lock out the device that is known now.
    expect((await signIn(app, user.email, next, own)).status).toBe(200);
    expect((await signIn(app, user.email, next)).status).toBe(429);
  });
}

it('all devices of an account have one counter together', async () => {
  const app = await testApp({ variables: unlimited });
  const { email } = await registerUser(app);
  expect(await guess(app, email, await collect(app, email, 12))).toBe(20);
});

it('a device token of before a new hash of the same password is replaced by the sign-in that makes it', async () => {
  const app = await testApp({ variables: unlimited });
  const { email } = await registerUser(app);
  const [device] = await collect(app, email, 1);
  const first = await signIn(app, email, password, device);
  const second = await signIn(app, email, password, first.headers.get('X-Device-Token') ?? '');
  expect([first.status, second.status]).toEqual([200, 200]);
  expect(second.headers.get('X-Device-Token')?.split('.')[0]).toBe(device?.split('.')[0]);
});
