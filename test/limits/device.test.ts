import { describe, expect, it } from 'vitest';
import { createKeyring } from '../../src/crypto/derive.ts';
import { uuidv7 } from '../../src/crypto/random.ts';
import {
  type DeviceOwner,
  deviceTtl,
  isOwnDevice,
  issueDeviceToken,
  type Name,
  verifyDeviceToken,
} from '../../src/limits/device.ts';
import { createClock } from '../support/test-app.ts';

const [older, newer] = ['an-older-secret-an-older-secret-an-1', 'a-newer-secret-a-newer-secret-a-newer'];
const email: Name = { kind: 'email', key: 'ann@example.com' };
const username: Name = { kind: 'username', key: 'ann' };
const owner = { id: '01900000-0000-7000-8000-000000000001', passwordHash: '$argon2id$1' };
const names = { emailKey: email.key, usernameKey: username.key };

async function setUp(...secrets: string[]) {
  const clock = createClock();
  const now = clock.now;
  return { clock, now, newId: () => uuidv7(now()), keyring: await createKeyring(secrets) };
}

describe('a device token', () => {
  it('is good for each name of its account, and for no other', async () => {
    const deps = await setUp(newer);
    const token = await issueDeviceToken(deps, names, owner);
    const [id = ''] = token.split('.');
    const check = async (name: Name) => (await verifyDeviceToken(deps, token, name))?.id;
    expect([await check(email), await check(username)]).toEqual([id, id]);
    const others: Name[] = [
      { kind: 'email', key: 'bob@example.com' },
      { kind: 'username', key: email.key },
      { kind: 'email', key: username.key },
      { kind: 'username', key: '' },
      { kind: 'email', key: '\ud800' },
    ];
    for (const other of others) expect(await check(other)).toBeUndefined();
    const nameless = await issueDeviceToken(deps, { emailKey: undefined, usernameKey: 'ann' }, owner);
    expect(await verifyDeviceToken(deps, nameless, username)).toBeDefined();
    expect(await verifyDeviceToken(deps, nameless, email)).toBeUndefined();
  });

  it('lasts 180 days, and keeps the device when it is made anew', async () => {
    const deps = await setUp(newer);
    const token = await issueDeviceToken(deps, names, owner);
    const check = async (shown: string) => (await verifyDeviceToken(deps, shown, email))?.id;
    const id = await check(token);
    deps.clock.advance(deviceTtl - 1);
    expect(await check(token)).toBe(id);
    const renewed = await issueDeviceToken(deps, names, owner, id);
    deps.clock.advance(1);
    expect([await check(token), await check(renewed)]).toEqual([undefined, id]);
  });

  it('is of its owner until the password becomes another one', async () => {
    const both = await setUp(newer, older);
    const deps = { ...both, keyring: await createKeyring([newer, older], both.now() + 1000) };
    const [now, before] = [
      await issueDeviceToken(deps, names, owner),
      await issueDeviceToken(await setUp(older), names, owner),
    ];
    for (const token of [now, before]) {
      const device = await verifyDeviceToken(deps, token, email);
      if (device === undefined) throw new Error('not good');
      const is = (other: DeviceOwner | undefined) => isOwnDevice(deps, device, other);
      expect(await is(owner)).toBe(true);
      for (const other of [{ ...owner, passwordHash: '$argon2id$2' }, { ...owner, id: deps.newId() }, undefined]) {
        expect(await is(other)).toBe(false);
      }
    }
  });

  it('of an older secret is good until the date that was set for it, and without one not at all', async () => {
    const before = await setUp(older);
    const token = await issueDeviceToken(before, names, owner);
    const after = await setUp(newer, older);
    expect(await verifyDeviceToken(after, token, email)).toBeUndefined();
    const planned = { ...after, keyring: await createKeyring([newer, older], after.now() + 1000) };
    expect(await verifyDeviceToken(planned, token, email)).toBeDefined();
    after.clock.advance(1);
    expect(await verifyDeviceToken(planned, token, email)).toBeUndefined();
  });

  it('in which anything was changed is none', async () => {
    const deps = await setUp(newer);
    const token = await issueDeviceToken(deps, names, owner);
    const [id = '', expiry = '', stamp = '', first = '', second = ''] = token.split('.');
    const forged = [
      '',
      '.',
      token.slice(0, -1),
      `${token}A`,
      `${token}.${first}`,
      token.toUpperCase(),
      ` ${token}`,
      `${id}.${expiry}`,
      `${id}.${expiry}.${stamp}.`,
      `${id}.${expiry}.${first}.${second}`,
      `${id}.${expiry}.${'A'.repeat(16)}.${first}.${second}`,
      `${id}.${expiry}.${stamp}..${first}`,
      `${id}.${expiry}.${stamp}.${second}${first}`,
      `${id}.${Number(expiry) + 1}.${stamp}.${first}.${second}`,
      `${id}.0${expiry}.${stamp}.${first}.${second}`,
      `${id}.99999999999.${stamp}.${first}.${second}`,
      `${deps.newId()}.${expiry}.${stamp}.${first}.${second}`,
      `${id}.${expiry}.${stamp}.${'A'.repeat(43)}`,
      `${id}.${expiry}.${stamp}.${first.slice(0, -1)}${first.endsWith('A') ? 'E' : 'A'}`,
      'x'.repeat(100_000),
    ];
    for (const text of forged) expect(await verifyDeviceToken(deps, text, email), text.slice(0, 200)).toBeUndefined();
    expect((await verifyDeviceToken(deps, `${id}.${expiry}.${stamp}.${first}`, email))?.id).toBe(id);
  });
});
