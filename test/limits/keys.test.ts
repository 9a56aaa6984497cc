import { describe, expect, it, vi } from 'vitest';
import { createKeyring } from '../../src/crypto/derive.ts';
import { createAddressKeys } from '../../src/limits/address-key.ts';
import { lockoutNames, policyNames } from '../../src/limits/policies.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { giveRoles } from '../support/admin.ts';
import { olderSecret, testSecret } from '../support/secret.ts';
import { createClock, testApp } from '../support/test-app.ts';

const keysOf = async (secret: string) => createAddressKeys(await createKeyring([secret]));

describe('the key of an address', () => {
  it('is one for each network, another under another secret, and tells neither', async () => {
    const [key, other] = [await keysOf(testSecret), await keysOf(olderSecret)];
    const one = await key('192.0.2.1');
    expect(one).toMatch(/^[\w-]{22}$/);
    expect([await key('::ffff:192.0.2.1'), await key('192.0.2.1')]).toEqual([one, one]);
    expect(new Set([one, await key('192.0.2.2'), await key(undefined), await other('192.0.2.1')]).size).toBe(4);
  });

  it('is one of 256 for all addresses of an IPv6 /48', async () => {
    const key = await keysOf(testSecret);
    const keys = new Set<string>();
    for (let network = 0; network < 65_536; network += 16) keys.add(await key(`2001:db8:1:${network.toString(16)}::1`));
    expect(keys.size).toBe(256);
  });

  it('is computed once for a network that comes again and again', async () => {
    const { newest } = await createKeyring([testSecret]);
    let computed = 0;
    const counted = {
      ...newest,
      get address() {
        computed += 1;
        return newest.address;
      },
    };
    const key = createAddressKeys({ newest: counted });
    for (let times = 0; times < 3; times += 1) await key('192.0.2.1');
    expect(computed).toBe(1);
  });

  it('counts anew after the root secret was replaced', async () => {
    const clock = createClock();
    const kv = createMemoryKeyValue({ now: clock.now });
    const variables = { LIMIT_LOGIN_ADDRESS: '1/60' };
    const login = async (secret: string) => {
      const app = await testApp({ kv, clock, variables: { ...variables, AUTH_SECRET: secret } });
      return (await app.request('POST', '/auth/login', { body: { identifier: 'nobody', password: 'wrong' } })).status;
    };
    expect([await login(testSecret), await login(testSecret), await login(olderSecret)]).toEqual([401, 429, 401]);
  });
});

const person = {
  email: 'canary.bird@canary.example',
  username: 'canary-username',
  phone_number: '+14155550199',
  name: 'Canaria',
  password: 'the canary sings at dawn',
};
const otherEmail = 'canary.nest@canary.example';
const addresses = ['203.0.113.77', '2001:db8:77:7700::77'];

/** A value as it is, and as hashes that anybody can compute. */
async function tracesOf(value: string): Promise<string[]> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(value)));
  const base64 = btoa(String.fromCharCode(...digest));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [value, btoa(value), hex, base64, base64.replaceAll('+', '-').replaceAll('/', '_')].map((text) =>
    text.replace(/=+$/, '').toLowerCase(),
  );
}

it('nothing that a person gave stands in a key or value of the key-value store, whatever counts', async () => {
  const clock = createClock();
  const store = createMemoryKeyValue({ now: clock.now });
  const run = vi.spyOn(store, 'run');
  const app = await testApp({
    kv: store,
    clock,
    variables: { COMPAT_APIS: 'premier', MAILBOX_URL: 'http://mailbox.test', LIMIT_READYZ_ADDRESS: '1/60' },
  });
  const own = vi.spyOn(app.deps.fallback, 'run');
  const { email, username, password } = person;
  const send = async (address: string, method: string, path: string, body?: object, token?: string, device = '') => {
    const headers = device === '' ? {} : { 'X-Device-Token': device };
    const answer = await app.request(method, path, {
      address,
      token,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    expect(answer.status).toBeLessThan(500);
    return answer;
  };

  for (const [index, address] of addresses.entries()) {
    const post = (path: string, body: object, token?: string) => send(address, 'POST', path, body, token);
    const fields = index === 0 ? person : { email: otherEmail, password };
    const registered = await post('/auth/register', fields);
    expect(registered.status).toBe(201);
    const device = registered.headers.get('X-Device-Token') ?? '';
    const { id } = registered.body.user;
    await giveRoles(app, id, ['admin', 'user']);
    const { refresh_token } = registered.body;
    const token = (await post('/auth/refresh', { refresh_token })).body.access_token;
    for (const path of ['/auth/verify-token', '/users/me', '/users/export', '/openapi.json', '/readyz', '/readyz']) {
      await send(address, 'GET', path, undefined, token);
    }
    await send(address, 'PUT', '/users/profile', { name: 'Canaria-Anew' }, token);
    await post('/admin/users/search', { email }, token);
    await post(`/admin/users/${id}/force-password-reset`, {}, token);
    await post('/users/change-email', { email: `new-${email}` }, token);
    await post('/auth/reauthenticate', { password }, token);
    for (const identifier of [fields.email, username, 'canary-nobody']) {
      await post('/auth/forgot-password', { identifier });
      await post('/auth/login', { identifier, password: 'no canary at all' });
      await send(address, 'POST', '/auth/login', { identifier, password }, undefined, device);
    }
    await post('/auth/resend-verification', { email });
    await post('/auth/verify-email', { email, code: 'AAAA-AAAA' });
    await post('/auth/undo-email-change', { token: 'A'.repeat(43) });
    await post('/api/register', { login: email, password });
    for (let times = 0; times < 6; times += 1) await post('/auth/login', { email, password: 'no canary at all' });
    await post('/auth/logout', { refresh_token });
  }
  await app.app.flush();

  const operations = [...run.mock.calls, ...own.mock.calls].flat(2);
  const plain = (_: string, value: unknown) => (value instanceof Map ? [...value] : value);
  const seen = operations.map((operation) => JSON.stringify(operation, plain)).join('\n');
  // Every limit and lockout has counted, and refusals were noted.
  expect(policyNames.filter((name) => !seen.includes(`"limit:${name}:`))).toEqual([]);
  expect(lockoutNames.filter((name) => !seen.includes(`"${name}:`))).toEqual([]);
  expect(['noted:limit_reached:', 'noted:lock_refused:'].filter((key) => !seen.includes(key))).toEqual([]);
  const networks = ['203.0.113.', '203.0.113.0/24', '2001:db8:77:', '2001:db8:77:7700::/56', '2001:db8:77::/48'];
  const values = [...Object.values(person), otherEmail, 'canar', ...addresses, ...networks];
  const traces = (await Promise.all(values.map(tracesOf))).flat();
  expect(traces.filter((trace) => seen.toLowerCase().includes(trace))).toEqual([]);
});
