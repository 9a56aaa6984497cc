import { describe, expect, it } from 'vitest';
import { createKeyring } from '../../src/crypto/derive.ts';
import { uuidv7 } from '../../src/crypto/random.ts';
import { deviceTtl, issueDeviceToken, type Name, verifyDeviceToken } from '../../src/limits/device.ts';
import { createClock } from '../support/test-app.ts';

const [older, newer] = ['an-older-secret-an-older-secret-an-1', 'a-newer-secret-a-newer-secret-a-newer'];
const email: Name = { kind: 'email', key: 'ann@example.com' };
const username: Name = { kind: 'username', key: 'ann' };
const names = { emailKey: email.key, usernameKey: username.key };

async function setUp(...secrets: string[]) {
  const clock = createClock();
  const now = clock.now;
  return { clock, now, newId: () => uuidv7(now()), keyring: await createKeyring(secrets) };
}

describe('a device token', () => {
  it('is good for each name of its account, and for no other', async () => {
    const deps = await setUp(newer);
    const token = await issueDeviceToken(deps, names);
    const [id = ''] = token.split('.');
    const check = (name: Name) => verifyDeviceToken(deps, token, name);
    expect([await check(email), await check(username)]).toEqual([id, id]);
    const others: Name[] = [
      { kind: 'email', key: 'bob@example.com' },
      { kind: 'username', key: email.key },
      { kind: 'email', key: username.key },
      { kind: 'username', key: '' },
      { kind: 'email', key: '\ud800' },
    ];
    for (const other of others) expect(await check(other)).toBeUndefined();
    const nameless = await issueDeviceToken(deps, { emailKey: undefined, usernameKey: 'ann' });
    expect(await verifyDeviceToken(deps, nameless, username)).toBeDefined();
    expect(await verifyDeviceToken(deps, nameless, email)).toBeUndefined();
  });

  it('lasts 180 days, and keeps the device when it is made anew', async () => {
    const deps = await setUp(newer);
    const token = await issueDeviceToken(deps, names);
    const id = await verifyDeviceToken(deps, token, email);
    deps.clock.advance(deviceTtl - 1);
    expect(await verifyDeviceToken(deps, token, email)).toBe(id);
    const renewed = await issueDeviceToken(deps, names, id);
    deps.clock.advance(1);
    expect(await verifyDeviceToken(deps, token, email)).toBeUndefined();
    expect(await verifyDeviceToken(deps, renewed, email)).toBe(id);
  });

  it('of an older secret is good until the date that was set for it, and without one not at all', async () => {
    const before = await setUp(older);
    const token = await issueDeviceToken(before, names);
    const after = await setUp(newer, older);
    expect(await verifyDeviceToken(after, token, email)).toBeUndefined();
    const planned = { ...after, keyring: await createKeyring([newer, older], after.now() + 1000) };
    expect(await verifyDeviceToken(planned, token, email)).toBeDefined();
    after.clock.advance(1);
    expect(await verifyDeviceToken(planned, token, email)).toBeUndefined();
  });

  it('in which anything was changed is none', async () => {
    const deps = await setUp(newer);
    const token = await issueDeviceToken(deps, names);
    const [id = '', expiry = '', first = '', second = ''] = token.split('.');
    const forged = [
      '',
      '.',
      token.slice(0, -1),
      `${token}A`,
      `${token}.${first}`,
      token.toUpperCase(),
      ` ${token}`,
      `${id}.${expiry}`,
      `${id}.${expiry}.`,
      `${id}.${expiry}..${first}`,
      `${id}.${expiry}.${second}${first}`,
      `${id}.${Number(expiry) + 1}.${first}.${second}`,
      `${id}.0${expiry}.${first}.${second}`,
      `${id}.99999999999.${first}.${second}`,
      `${deps.newId()}.${expiry}.${first}.${second}`,
      `${id}.${expiry}.${'A'.repeat(43)}`,
      `${id}.${expiry}.${first.slice(0, -1)}${first.endsWith('A') ? 'E' : 'A'}`,
      'x'.repeat(100_000),
    ];
    for (const text of forged) expect(await verifyDeviceToken(deps, text, email), text.slice(0, 200)).toBeUndefined();
    expect(await verifyDeviceToken(deps, `${id}.${expiry}.${first}`, email)).toBe(id);
  });
});
