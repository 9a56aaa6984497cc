// On Node only: it runs the client of the manual, as it is printed there, against a server that listens.
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { expect, it, onTestFinished } from 'vitest';
import { letPass } from '../support/sessions.ts';
import { type TestApp, testApp } from '../support/test-app.ts';

const printed = readFileSync(join(import.meta.dirname, 'flask-client.txt'), 'utf8');

interface AuthService {
  readonly accessToken: string | null;
  readonly refreshToken: string | null;
  login(username: string, password: string): Promise<unknown>;
  makeAuthenticatedRequest(url: string, options?: RequestInit): Promise<Response>;
  logout(): void;
}

/** The storage of a browser, which outlives its pages. */
function createStorage() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

/** What a page of the client's does when it is opened. */
function openPage(baseUrl: string, localStorage: ReturnType<typeof createStorage>): AuthService {
  const define = new Function('localStorage', `${printed}\nreturn AuthService;`);
  return new (define(localStorage))(baseUrl);
}

async function listen({ app }: TestApp): Promise<string> {
  const background: Promise<unknown>[] = [];
  const context = {
    waitUntil: (promise: Promise<unknown>) => void background.push(promise),
    passThroughOnException() {},
    props: {},
  };
  const server = createAdaptorServer({
    fetch: (request) => app.fetch(request, { clientAddress: '192.0.2.1' }, context),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve));
    await Promise.all(background);
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

it('the JavaScript client of the older API flask works as it is printed, for as long as a session lasts', async () => {
  const app = await testApp();
  const base = await listen(app);
  const storage = createStorage();
  const password = 'SecurePass123!';
  const user = { email: 'user@example.com', username: 'username', password, name: 'John', surname: 'Doe' };
  await app.request('POST', '/auth/register', { body: user });

  const client = openPage(base, storage);
  await expect(client.login('username', 'WrongPass123!')).rejects.toThrow('Login failed');
  await client.login('username', password);
  const profile = (page = client) => page.makeAuthenticatedRequest(`${base}/users/profile`);
  expect(await (await profile()).json()).toMatchObject({ username: 'username', name: 'John' });

  // Access tokens run out while it is used: it gets a new one each time with the refresh token it signed in with.
  const { refreshToken } = client;
  for (let times = 0; times < 4; times += 1) {
    const before = client.accessToken;
    app.clock.advance(3600);
    await letPass(app, 3600);
    expect((await profile()).status).toBe(200);
    expect(client.accessToken).not.toBe(before);
    expect(client.refreshToken).toBe(refreshToken);
  }
  // So it does on a page that is opened days later, and beside one that is still open.
  app.clock.advance(5 * 86_400);
  const later = openPage(base, storage);
  const change = { method: 'PUT', body: JSON.stringify({ name: 'Jane' }) };
  const changed = await later.makeAuthenticatedRequest(`${base}/users/profile`, change);
  expect(await changed.json()).toMatchObject({ name: 'Jane' });
  expect((await Promise.all([profile(), profile(later)])).map(({ status }) => status)).toEqual([200, 200]);

  // The end of the session is what signs it out.
  app.clock.advance(7 * 86_400);
  expect((await profile(later)).status).toBe(401);
  expect(later).toMatchObject({ accessToken: null, refreshToken: null });
  expect(storage.getItem('refresh_token')).toBeNull();
});
