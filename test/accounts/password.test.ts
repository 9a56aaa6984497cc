import { describe, expect, inject, it } from 'vitest';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

/** What registering with a password says against it: messages, or none. */
async function refusals({ request }: TestApp, chosen: string, names: object = {}): Promise<string[]> {
  const username = `u${crypto.randomUUID().slice(0, 8)}`;
  const { status, body } = await request('POST', '/auth/register', { body: { username, ...names, password: chosen } });
  if (status === 201) return [];
  expect([status, body.code]).toEqual([422, 'validation_failed']);
  return body.errors.map(({ path, message }: { path: string; message: string }) => {
    expect(path).toBe('password');
    return message;
  });
}

const unlimited = { LIMIT_REGISTER_ADDRESS: '1000/60' };

describe('a new password', () => {
  it('has 8 to 256 characters, counted in code points after NFKC', async () => {
    const app = await testApp({ variables: unlimited });
    const length = ['Use 8 to 256 characters, not counting repeated spaces'];
    for (const short of [
      '',
      'sieben7',
      ' '.repeat(8),
      `a${' '.repeat(9)}b`,
      '\u3164'.repeat(8),
      '🔑'.repeat(7),
      'ｘｙ',
      'e\u0301'.repeat(7),
    ]) {
      expect(await refusals(app, short), short).toEqual(length);
    }
    // U+FDFA is one character that NFKC makes eighteen of.
    for (const good of ['🔑'.repeat(8), '\ufdfa', '🔑'.repeat(256), 'e\u0301'.repeat(256)]) {
      expect(await refusals(app, good)).toEqual([]);
    }
    expect(await refusals(app, '\ufdfa'.repeat(15))).toEqual(length);
    expect(await refusals(await testApp({ variables: { PASSWORD_MIN_LENGTH: '15' } }), 'fourteen chars')).toEqual([
      'Use 15 to 256 characters, not counting repeated spaces',
    ]);
  });

  it('is not one of the most common ones, in whatever case or width', async () => {
    const app = await testApp({ variables: unlimited });
    const common = ['This is one of the most common passwords. Choose another one'];
    for (const chosen of [
      'password',
      'PassWord1',
      '12345678',
      'ｐａｓｓｗｏｒｄ',
      'qwertyuiop',
      'zxcvbnm123',
      'iloveyou',
    ]) {
      expect(await refusals(app, chosen), chosen).toEqual(common);
    }
    expect(await refusals(app, 'password of my own')).toEqual([]);
  });

  it('mixes as many kinds of characters as are asked for, and says which', async () => {
    const app = await testApp({ variables: { ...unlimited, PASSWORD_MIN_CLASSES: '3' } });
    for (const plain of ['only lower case', 'ONLY UPPER CASE', '27182 81828', 'lowerUPPER']) {
      expect(await refusals(app, plain)).toEqual([
        'Mix at least 3 of these: lower case letters, upper case letters, digits and other characters',
      ]);
    }
    for (const mixed of ['lower UPPER', 'lower 2718', 'Größe٣٤٥٦', 'lower2718UPPER!']) {
      expect(await refusals(app, mixed)).toEqual([]);
    }
    expect(await refusals(app, 'a')).toHaveLength(2);
  });

  it('is more than the name of its owner, which may stand in a longer one', async () => {
    const app = await testApp({ variables: unlimited });
    const owners = ['Add words that have nothing to do with your name'];
    const email = 'Anne.Lee@example.com';
    for (const mostly of ['ANNE.lee2026', 'anne lee!', 'annelee anne lee', 'Lee-Anne-123']) {
      expect(await refusals(app, mostly, { email }), mostly).toEqual(owners);
    }
    expect(await refusals(app, 'ÅNGSTRÖM 2026', { username: 'ångström' })).toEqual(owners);
    for (const good of ['savannah sunsets 42', 'anna and her old bicycle'])
      expect(await refusals(app, good, { email: `anna@x${crypto.randomUUID()}.example` }), good).toEqual([]);
    expect(await refusals(app, 'ann and her horse', { username: 'ann' })).toEqual([]);
  });

  it('is more than the names of the service and of the organisation', async () => {
    const app = await testApp({
      variables: { ...unlimited, SERVICE_NAME: 'Blue Harbor', PASSWORD_WORDS: 'Acme Corp' },
    });
    const refused = ['Add words that have nothing to do with this service'];
    for (const mostly of ['blueharbor2026', 'Blue Harbor!', 'ACME corp 1', 'acme@BlueHarbor'])
      expect(await refusals(app, mostly), mostly).toEqual(refused);
    expect(await refusals(app, 'a harbor for sleepy whales')).toEqual([]);
  });

  it('is asked for nothing when it signs in: whoever has an old one keeps it', async () => {
    const before = await testApp();
    const { email } = await registerUser(before);
    const after = await testApp({
      databaseUrl: before.databaseUrl,
      variables: { PASSWORD_MIN_LENGTH: '64', PASSWORD_MIN_CLASSES: '4' },
    });
    expect((await after.request('POST', '/auth/login', { body: { email, password } })).status).toBe(200);
  });
});

describe('the check for breached passwords', () => {
  const open = (mode: string, breachTimeout = 10_000) =>
    testApp({
      breachTimeout,
      variables: { BREACHED_PASSWORD_CHECK: 'true', BREACHED_PASSWORD_URL: `${inject('breachServer')}/${mode}/` },
    });

  it('refuses what is known, by five digits of its hash, and takes no padding for it', async () => {
    const app = await open('known');
    const known = ['This password appeared in a data breach. Choose one that you use nowhere else'];
    expect(await refusals(app, 'a phrase from a breach')).toEqual(known);
    expect(await refusals(app, 'ａ phrase from a breach')).toEqual(known);
    expect(await refusals(app, 'a phrase from the padding')).toEqual([]);
    const { access } = await registerUser(app);
    const body = { current_password: password, new_password: 'a phrase from a breach' };
    const { status, body: answer } = await app.request('POST', '/users/change-password', { token: access, body });
    expect([status, answer.errors]).toEqual([422, [{ path: 'new_password', message: known[0] }]]);
    expect(app.logLines.join()).not.toContain('breached_password_check_failed');
  });

  it.each(['slow', 'broken'])('stops nobody while the other side is %s, and says so in the log', async (mode) => {
    const app = await open(mode, 50);
    expect(await refusals(app, 'a phrase from a breach')).toEqual([]);
    const lines = app.logLines.filter((line) => line.includes('breached_password_check_failed'));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 'warn' }]);
    expect(lines.join()).not.toMatch(/range|phrase/);
  });

  it('asks nobody unless it is wanted', async () => {
    const variables = { BREACHED_PASSWORD_URL: `${inject('breachServer')}/known` };
    expect(await refusals(await testApp({ variables }), 'a phrase from a breach')).toEqual([]);
  });
});
