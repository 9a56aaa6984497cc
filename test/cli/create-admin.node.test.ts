// On Node only: a command of an operator's machine, on either database driver.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { decodeJwt } from 'jose';
import { describe, expect, inject, it } from 'vitest';
import { createAdminCommand } from '../../src/cli/create-admin.ts';
import { readPassword } from '../../src/cli/password-prompt.ts';
import { reason } from '../../src/cli/reason.ts';
import { registerAdmin } from '../support/admin.ts';
import { everyRow } from '../support/dump.ts';
import { waiting, webhooks } from '../support/events.ts';
import { mailTo, secretsTo } from '../support/mail.ts';
import { testSecret } from '../support/secret.ts';
import { issuer, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { ask } from '../tokens/sessions-under-test.ts';

const script = join(import.meta.dirname, '../../src/cli/main.ts');
const secret = 'an operator types this';

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const variablesOf = (databaseUrl: string, variables: Readonly<Record<string, string>>) => ({
  ENVIRONMENT: 'dev',
  AUTH_SECRET: testSecret,
  ISSUER: issuer,
  DATABASE_URL: databaseUrl,
  ...variables,
});

/** Runs the command in this process with a password piped in: starting another one takes longer than most tests. */
async function run(
  { databaseUrl }: Pick<TestApp, 'databaseUrl'>,
  args: readonly string[],
  input = secret,
  variables: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const environment = variablesOf(databaseUrl, variables);
  try {
    return { code: 0, out: await createAdminCommand(args, environment, PassThrough.from([input])), err: '' };
  } catch (error) {
    return { code: 1, out: '', err: reason(error, environment) };
  }
}

/** Runs it as an operator does. */
async function start(
  { databaseUrl }: Pick<TestApp, 'databaseUrl'>,
  args: readonly string[],
  input = secret,
  variables: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const env = { PATH: process.env['PATH'], ...variablesOf(databaseUrl, variables) };
  return await new Promise((resolve) => {
    const child = execFile(process.execPath, [script, 'create-admin', ...args], { env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: out.trim(), err: err.trim() });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

const login = ({ request }: TestApp, email: string, typed: string) =>
  request('POST', '/auth/login', { body: { email, password: typed } });

describe('create-admin', () => {
  it.each([
    ['Postgres over TCP', [], {}],
    ['Neon over HTTP', ['--neon'], { NEON_HTTP_ENDPOINT: inject('neonEndpoint') }],
  ] as const)('makes an admin who signs in, on %s; a second time changes nothing', async (_, flags, variables) => {
    const app = await testApp();
    const email = 'boss@example.com';
    const args = ['--email', 'Boss@Example.com', '--username', 'boss', ...flags];
    const first = await start(app, args, `${secret}\n`, variables);
    expect(first).toEqual({ code: 0, out: 'Admin Boss@example.com created', err: '' });
    const { status, body } = await login(app, email, secret);
    expect([status, body.user.roles, body.user.email_verified]).toEqual([200, ['admin', 'user'], true]);
    const token = body.access_token;
    expect((await app.request('GET', '/admin/users', { token })).body.items).toHaveLength(1);
    const again = await run(app, args, 'another password here', variables);
    expect([again.code, again.out]).toEqual([0, 'Boss@example.com is already an admin. Nothing has changed']);
    expect((await login(app, email, secret)).status).toBe(200);
    expect(decodeJwt(token)['roles']).toEqual(['admin', 'user']);
    expect((await everyRow(app)).join()).not.toContain(secret);
    const { body: audit } = await app.request('GET', '/admin/audit?type=user_created', { token });
    expect(audit.items).toMatchObject([{ actor_id: null, result: 'success' }]);
  });

  it('makes an admin of who has verified the address, with the password they have', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    await app.request('POST', '/auth/verify-email', { body: { token: secretsTo(app, user.email).token } });
    const { code, out } = await run(app, ['--email', user.email]);
    expect([code, out]).toEqual([0, expect.stringContaining('keeps its password')]);
    const { body } = await app.request('POST', '/auth/refresh', { body: { refresh_token: user.refresh } });
    expect(decodeJwt(body.access_token)['roles']).toEqual(['admin', 'user']);
    expect((await login(app, user.email, password)).status).toBe(200);
    expect((await login(app, user.email, secret)).status).toBe(401);
  });

  it('leaves nothing to a stranger who typed the address before', async () => {
    const app = await testApp();
    const stranger = await registerUser(app);
    const { token } = secretsTo(app, stranger.email);
    const { code, out } = await run(app, ['--email', stranger.email]);
    expect([code, out]).toEqual([0, expect.stringContaining('The new password is set')]);
    expect(await ask(app, stranger.access)).toBe(401);
    expect((await app.request('POST', '/auth/refresh', { body: { refresh_token: stranger.refresh } })).status).toBe(
      401,
    );
    expect((await login(app, stranger.email, password)).status).toBe(401);
    expect((await app.request('POST', '/auth/verify-email', { body: { token } })).status).toBe(410);
    expect((await login(app, stranger.email, secret)).body.user.roles).toEqual(['admin', 'user']);
  });

  it.each(['typed', 'mailed'])('gives an admin without a password one: %s', async (way) => {
    const app = await testApp();
    const [admin, other] = [await registerAdmin(app), await registerAdmin(app)];
    await app.request('POST', '/auth/verify-email', { body: { token: secretsTo(app, admin.email).token } });
    const forced = await app.request('POST', `/admin/users/${admin.id}/force-password-reset`, { token: other.access });
    expect(forced.status).toBe(200);
    const args = ['--email', admin.email, ...(way === 'mailed' ? ['--mail'] : [])];
    const { code, out } = await run(app, args);
    const said = `${admin.email} is now an admin. The account had no password before`;
    const follows = way === 'mailed' ? 'The email to choose a password waits' : 'The new password is set';
    expect([code, out.replace(/, because no mail server.*/, '')]).toEqual([0, `${said}. ${follows}`]);
    expect((await login(app, admin.email, secret)).status).toBe(way === 'mailed' ? 401 : 200);
    if (way === 'typed') {
      const again = await run(app, args, 'another password here');
      expect(again.out).toBe(`${admin.email} is already an admin. Nothing has changed`);
    }
  });

  it('sends a mail to choose a password instead, through the service', async () => {
    const app = await testApp();
    const email = 'mailed@example.com';
    const { code, out } = await run(app, ['--email', email, '--mail'], '');
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('The email to choose a password waits, because no mail server'),
    ]);
    app.clock.advance(60);
    await app.app.runScheduled();
    expect(mailTo(app, email).subject).toContain('Choose a password');
    const reset = { token: secretsTo(app, email).token, password: secret };
    expect((await app.request('POST', '/auth/reset-password', { body: reset })).status).toBe(200);
    expect((await login(app, email, secret)).body.user.roles).toEqual(['admin', 'user']);
  });

  it('tells other services, where it knows of them, and else says nothing of them', async () => {
    const app = await testApp();
    const told = await run(app, ['--email', 'one@example.com'], secret, webhooks('a'));
    expect([told.code, told.err]).toEqual([0, '']);
    expect((await waiting(app)).map(({ type }) => type)).toContain('UserCreated');
    const before = (await waiting(app)).length;
    const silent = await run(app, ['--email', 'two@example.com']);
    expect([silent.code, silent.err]).toEqual([0, '']);
    expect(await waiting(app)).toHaveLength(before);
  });

  it('does not speak of a new password where a mail goes out to choose one', async () => {
    const app = await testApp();
    const stranger = await registerUser(app);
    const { out } = await run(app, ['--email', stranger.email, '--mail'], '', { MAILBOX_URL: 'http://localhost:1' });
    expect(out).toMatch(/is now an admin.*An email to choose a password goes out within a minute$/);
  });

  it('refuses what is wrong in one line, and shows no password', async () => {
    const app = await testApp();
    await registerUser(app, { username: 'taken' });
    const email = 'weakling@example.com';
    const down = { databaseUrl: 'postgres://user:hidden@127.0.0.1:1/none' };
    const answers = await Promise.all([
      run(app, []),
      run(app, ['--email', 'nobody']),
      run(app, ['--email', email, '--username', '@']),
      run(app, ['--email', email, '--password', 'hidden on the line']),
      run(app, ['--email', email], 'password'),
      run(app, ['--email', email], 'weakling2026'),
      run(app, ['--email', email, '--username', 'taken'], 'hidden and good enough'),
      run(app, ['--email', email], ''),
      run(down, ['--email', email], 'hidden and good enough'),
      run(app, ['--email', email], 'hidden and good enough', { AUTH_SECRET: 'hidden' }),
    ]);
    const told = ['Usage', '--email', '--username', 'Usage', 'most common', 'your name', 'username', '8 to 256'];
    for (const [index, { code, out, err }] of answers.entries()) {
      expect([index, code, out]).toEqual([index, 1, '']);
      expect(err).toContain(told[index] ?? '');
      expect(err).not.toContain('hidden');
      expect(err).not.toContain('    at ');
    }
    expect(answers.at(-1)?.err).toContain('AUTH_SECRET');
    expect((await everyRow(app)).join()).not.toContain('user_created');
  });
});

describe('the prompt for a password', () => {
  /** A terminal on which these chunks are typed. */
  function terminal(...chunks: readonly (string | Uint8Array)[]) {
    const modes: boolean[] = [];
    const output = new PassThrough();
    const input = Object.assign(PassThrough.from(chunks), {
      isTTY: true as const,
      setRawMode: (mode: boolean) => modes.push(mode),
    });
    return { input, output, modes, shown: () => String(output.read() ?? '') };
  }
  const read = ({ input, output }: ReturnType<typeof terminal>) => readPassword(input, output);

  it('shows nothing of it, takes corrections and any script', async () => {
    const bytes = new TextEncoder().encode('pässword🙂\r');
    const typed = terminal('pax', '\u007f', 'x\u007f', 'ssword\r', 'pass', 'word\r');
    expect(await read(typed)).toBe('password');
    expect(typed.shown()).toBe('Password: \nRepeat it: \n');
    expect(typed.modes).toEqual([true, false]);
    const split = [bytes.slice(0, 2), bytes.slice(2, 11), bytes.slice(11), bytes];
    expect(await read(terminal(...split))).toBe('pässword🙂');
  });

  it('gives the terminal back where they differ or it is broken off', async () => {
    for (const chunks of [['one\r', 'two\r'], ['on\u0003'], ['on\u0004'], ['one\r']]) {
      const typed = terminal(...chunks);
      await expect(read(typed)).rejects.toThrow(/differ|Cancelled/);
      expect(typed.modes).toEqual([true, false]);
    }
  });
});
