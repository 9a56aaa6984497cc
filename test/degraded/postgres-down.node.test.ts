// Node only: it breaks TCP connections. What both runtimes share is in `postgres-down.test.ts`.
import { describe, expect, it, onTestFinished } from 'vitest';
import { withClient } from '../db/catalog.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { createDatabase, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { expectDiscreetLog, expectTheRest, expectUnavailable, warmUp } from './postgres-down-suite.ts';

const at = (url: string, parts: Partial<Pick<URL, 'port' | 'pathname' | 'password'>>) =>
  Object.assign(new URL(url), parts).href;

async function proxied(): Promise<{ app: TestApp; proxy: TcpProxy; directUrl: string }> {
  const directUrl = await createDatabase();
  const proxy = await startTcpProxy(Number(new URL(directUrl).port));
  onTestFinished(proxy.stop);
  return { app: await testApp({ databaseUrl: at(directUrl, { port: String(proxy.port) }) }), proxy, directUrl };
}

describe('a Postgres over TCP', () => {
  it('that refuses connections is unavailable', async () => {
    const { app, proxy } = await proxied();
    const people = await warmUp(app);
    await proxy.stop();
    await expectUnavailable(app, people.good);
    await expectTheRest(app, people);
    expectDiscreetLog(app, Object.values(people));
  });

  it('that vanishes under a statement is unavailable, and does not end the process', async () => {
    const { app, proxy, directUrl } = await proxied();
    const { good } = await warmUp(app);
    await withClient(directUrl, async (locker) => {
      await locker.query('begin; lock table users');
      const waiting = Promise.all(
        Array.from({ length: 3 }, () => app.request('GET', '/users/me', { token: good.access })),
      );
      const blocked = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
      // Within a transaction the view would stand still.
      await withClient(directUrl, (observer) =>
        expect.poll(async () => (await observer.query(blocked)).rowCount).toBe(3),
      );
      await proxy.stop();
      expect((await waiting).map(({ status }) => status)).toEqual([503, 503, 503]);
    });
    expectDiscreetLog(app, [good]);
  });

  it.each([
    ['knows no such database', { pathname: '/no_such_database' }],
    ['takes another password', { password: 'not-the-right-password' }],
  ])('that %s is unavailable', async (_, parts) => {
    const app = await testApp({ databaseUrl: at(await createDatabase(), parts) });
    const answer = await app.request('GET', '/.well-known/jwks.json');
    expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
    expect((await app.request('GET', '/readyz')).status).toBe(503);
    expectDiscreetLog(app);
  });

  it('that never answers, or has no connection to spare, is given up after 5 s', async () => {
    const hole = await startTcpProxy();
    onTestFinished(hole.stop);
    const silent = await testApp({ databaseUrl: `postgres://user:not-to-be-told@127.0.0.1:${hole.port}/none` });
    const busy = await testApp();
    const { access } = await registerUser(busy);
    await withClient(busy.databaseUrl, async (locker) => {
      await locker.query('begin; lock table users');
      const me = () => busy.request('GET', '/users/me', { token: access });
      // The pool holds ten connections: one request of eleven gets none.
      const requests = Array.from({ length: 11 }, me);
      const [ready, ...answers] = await Promise.all([
        silent.request('GET', '/readyz'),
        silent.request('GET', '/.well-known/jwks.json'),
        Promise.race(requests),
      ]);
      expect(ready.status).toBe(503);
      expect(answers).toMatchObject([{ status: 503 }, { status: 503 }]);
      await locker.query('rollback');
      const statuses = (await Promise.all(requests)).map(({ status }) => status);
      expect(statuses.sort()).toEqual([...Array.from({ length: 10 }, () => 200), 503]);
    });
    for (const app of [silent, busy]) expectDiscreetLog(app);
  });
});
