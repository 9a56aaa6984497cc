import { expect } from 'vitest';
import { password, registerUser, type TestApp } from '../support/test-app.ts';

export interface Person {
  readonly email: string;
  readonly access: string;
  readonly refresh: string;
}

/** An isolate that has served before: it knows the keys, and its store knows what has been revoked since. */
export async function warmUp(app: TestApp): Promise<{ good: Person; ended: Person }> {
  await app.request('GET', '/auth/verify-token', { token: (await registerUser(app)).access });
  // Tokens of about the time when the store began to know are looked up.
  app.clock.advance(61);
  const [good, ended] = [await registerUser(app), await registerUser(app)];
  await app.request('POST', '/auth/logout', { token: ended.access });
  return { good, ended };
}

/** Every operation that cannot do without the database says so, in a way that clients and proxies understand. */
export async function expectUnavailable(app: TestApp, { email, access, refresh }: Person): Promise<void> {
  const newcomer = { email: `${crypto.randomUUID()}@example.com`, password };
  const answers = [
    await app.request('POST', '/auth/register', { body: newcomer }),
    await app.request('POST', '/auth/login', { body: { email, password } }),
    await app.request('POST', '/auth/login', { body: newcomer }),
    await app.request('POST', '/auth/refresh', { body: { refresh_token: refresh } }),
    await app.request('POST', '/auth/logout', { body: { refresh_token: refresh } }),
    await app.request('POST', '/auth/logout-all', { token: access }),
    await app.request('GET', '/users/me', { token: access }),
    await app.request('POST', '/auth/reauthenticate', { token: access, body: { password } }),
    await app.request('POST', '/users/change-password', {
      token: access,
      body: { current_password: password, new_password: 'a quieter pony on the stairs' },
    }),
    await app.request('DELETE', '/users/delete-account', { token: access, body: { password } }),
    await app.request('GET', '/users/profile', { token: access }),
    await app.request('PUT', '/users/profile', {
      token: access,
      body: { name: 'Ann' },
      headers: { 'If-Match': '"1"' },
    }),
    await app.request('GET', '/users/sessions', { token: access }),
    await app.request('DELETE', `/users/sessions/${crypto.randomUUID()}`, { token: access }),
    await app.request('GET', '/users/activity', { token: access }),
    await app.request('GET', '/users/export', { token: access }),
  ];
  for (const { status, headers, body } of answers) {
    expect([status, body]).toMatchObject([503, { code: 'unavailable', status: 503 }]);
    expect(headers.get('Content-Type')).toBe('application/problem+json');
    expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0);
  }
  expect(JSON.stringify(answers)).not.toMatch(telling);
}

/** What can do without the database does. */
export async function expectTheRest(app: TestApp, { good, ended }: { good: Person; ended: Person }): Promise<void> {
  const verify = async ({ access }: Person) =>
    (await app.request('GET', '/auth/verify-token', { token: access })).status;
  expect([await verify(good), await verify(ended)]).toEqual([200, 401]);
  const jwks = await app.request('GET', '/.well-known/jwks.json');
  expect([jwks.status, jwks.body.keys.length]).toEqual([200, 1]);
  expect((await app.request('GET', '/health')).status).toBe(200);
  const ready = await app.request('GET', '/readyz');
  expect([ready.status, ready.body]).toMatchObject([
    503,
    { status: 'unavailable', dependencies: { database: { status: 'down' }, key_value: { status: 'up' } } },
  ]);
  expect(Number(ready.headers.get('Retry-After'))).toBeGreaterThan(0);
}

/** SQL, a driver's words for it, or an address with a password. */
const telling = /\b(select|insert into|delete from|returning|failed query|params)\b|postgres(ql)?:\/\//i;

/** What was logged tells an operator what happened, and nobody what was stored, or how to get in. */
export function expectDiscreetLog({ logLines, databaseUrl }: TestApp, people: readonly Person[] = []): void {
  const events = logLines.map((line) => JSON.parse(line));
  expect(events.filter(({ event }) => event === 'unexpected_error')).toEqual([]);
  expect(events.some(({ event }) => event === 'database_unavailable')).toBe(true);
  const log = logLines.join('\n');
  expect(log).not.toMatch(telling);
  const { password: secret, pathname } = new URL(databaseUrl);
  // A password such as `postgres` stands in the names of files too.
  const secrets = [secret.length > 10 ? secret : `:${secret}@`, pathname.slice(1), ...people.flatMap(Object.values)];
  for (const text of secrets) expect(log).not.toContain(text);
}

/** The same application, not started anew, serves when the database is back. */
export async function expectRecovery(app: TestApp, { good, ended }: { good: Person; ended: Person }): Promise<void> {
  await expect.poll(async () => (await app.request('GET', '/readyz')).body.status).toBe('ready');
  const status = async (...sent: Parameters<TestApp['request']>) => (await app.request(...sent)).status;
  expect(await status('GET', '/users/me', { token: good.access })).toBe(200);
  expect(await status('GET', '/users/me', { token: ended.access })).toBe(401);
  expect(await status('POST', '/auth/login', { body: { email: good.email, password } })).toBe(200);
  expect(await status('POST', '/auth/refresh', { body: { refresh_token: good.refresh } })).toBe(200);
  await registerUser(app);
  await app.app.runScheduled();
}
