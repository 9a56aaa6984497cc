// On Node only: operators run commands there.
import { decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { retireKeyCommand, rotateKeysCommand } from '../../src/cli/keys.ts';
import { resealCommand } from '../../src/cli/reseal.ts';
import { registerAdmin } from '../support/admin.ts';
import { olderSecret, testSecret } from '../support/secret.ts';
import { issuer, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const variables = (app: TestApp, secrets: Readonly<Record<string, string>> = { AUTH_SECRET: testSecret }) => ({
  ENVIRONMENT: 'dev',
  ISSUER: issuer,
  DATABASE_URL: app.databaseUrl,
  ...secrets,
});

/** The newest rows of these types, as an admin sees them. */
async function told(app: TestApp, ...types: string[]) {
  const { access: token } = await registerAdmin(app);
  const pages = types.map((type) => app.request('GET', `/admin/audit?type=${type}`, { token }));
  const items = (await Promise.all(pages)).flatMap(({ body }) => body.items);
  const fields = ({ type, result, user_agent, user_id, actor_id, address }: Record<string, unknown>) => ({
    type,
    result,
    user_agent,
    who: [user_id, actor_id, address],
  });
  return items.map(fields);
}
const nobody = [null, null, null];

describe('the audit log tells what an operator did at the command line', () => {
  it('with signing keys: which key was added or retired, and by which command', async () => {
    const app = await testApp({ keyless: true });
    const { access } = await registerUser(app);
    const { kid } = decodeProtectedHeader(access);
    const [rotated = ''] = await rotateKeysCommand(['--now'], variables(app));
    const [, next] = /^Key (\S+) is published/.exec(rotated) ?? [];
    await rotateKeysCommand(['--list'], variables(app));
    await retireKeyCommand([String(kid)], variables(app));
    // One name in 64 begins with a dash.
    for (const unknown of ['unknown', `-${'S'.repeat(42)}`]) {
      await expect(retireKeyCommand([unknown], variables(app))).rejects.toThrow('No signing key has this name');
    }
    expect(await told(app, 'signing_key_added', 'signing_key_retired')).toEqual([
      {
        type: 'signing_key_added',
        result: 'success',
        user_agent: expect.stringMatching(`^edge-auth-cli/\\S+ \\(rotate-keys --now; kid ${next}\\)$`),
        who: nobody,
      },
      {
        type: 'signing_key_retired',
        result: 'success',
        user_agent: expect.stringMatching(`^edge-auth-cli/\\S+ \\(retire-key; kid ${kid}\\)$`),
        who: nobody,
      },
    ]);
  });

  it('with the replacement of a key that was the only one', async () => {
    const app = await testApp({ keyless: true });
    const { kid } = decodeProtectedHeader((await registerUser(app)).access);
    const lines = await retireKeyCommand([String(kid)], variables(app));
    const [, replacement] = /^Key (\S+) is published/.exec(lines[0] ?? '') ?? [];
    app.clock.advance(60);
    expect(await told(app, 'signing_key_added')).toMatchObject([
      { user_agent: expect.stringContaining(`(retire-key; kid ${replacement})`) },
    ]);
  });

  it('with secrets: how many rows of each table were moved and are left, and whether that is all', async () => {
    const before = await testApp({ variables: { AUTH_SECRET: olderSecret } });
    const { id } = await registerUser(before, { phone_number: '+4915112345678' });
    const both = { AUTH_SECRET: testSecret, AUTH_SECRET_PREVIOUS: olderSecret };
    const app = await testApp({ variables: both, databaseUrl: before.databaseUrl, clock: before.clock });
    await app.deps.db.execute(`update users set phone_sealed = 'unknown1.AAAA' where id = '${id}'`);
    expect((await resealCommand([], variables(app, both), 0)).isDone).toBe(false);
    await app.deps.db.execute(`update users set phone_sealed = null where id = '${id}'`);
    expect((await resealCommand([], variables(app, both), 0)).isDone).toBe(true);
    const rows = await told(app, 'secrets_resealed');
    expect(rows).toMatchObject([
      { result: 'success', user_agent: expect.stringContaining('reseal; users 1 moved, 0 left'), who: nobody },
      { result: 'failure', user_agent: expect.stringContaining('reseal; users 0 moved, 1 left'), who: nobody },
    ]);
    for (const { user_agent } of rows)
      expect(user_agent).toMatch(/; one_time_tokens .+; outbox .+; signing_keys \d+ moved, \d+ left\)$/);
  });
});
