import { sql } from 'drizzle-orm';
import { expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { runtime } from '#test-runtime';
import { limitVariable } from '../../src/config-limits.ts';
import { isUnavailable, query, sqlState } from '../../src/db/database.ts';
import { policyNames } from '../../src/limits/policies.ts';
import { createDatabase, type TestApp, testApp } from '../support/test-app.ts';
import { expectDiscreetLog, expectRecovery, expectTheRest, expectUnavailable, warmUp } from './postgres-down-suite.ts';

/** Takes a database away, its connections with it, and gives it back: from another one on the same server. */
async function outageOf({ databaseUrl }: TestApp) {
  const { db, close } = runtime.openDatabase({ url: await createDatabase(), logger: { logQuery: () => undefined } });
  onTestFinished(close);
  const name = new URL(databaseUrl).pathname.slice(1);
  const allow = (allowed: boolean) => db.execute(sql.raw(`alter database ${name} with allow_connections ${allowed}`));
  const terminate = () =>
    db.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`);
  return {
    terminate,
    async begin() {
      await allow(false);
      await terminate();
    },
    end: () => allow(true),
  };
}

it('without its database the service says so, does what it can, and is back as soon as the database is', async () => {
  const app = await testApp();
  const people = await warmUp(app);
  const outage = await outageOf(app);
  await outage.begin();
  await expectUnavailable(app, people.good);
  await expectTheRest(app, people);

  // Hours later the keys would have been read anew: those that are known go on serving.
  app.clock.advance(300);
  await expectTheRest(app, people);
  await app.app.runScheduled();
  expect(app.logLines.filter((line) => line.includes('scheduled_failed'))).not.toEqual([]);
  expectDiscreetLog(app, Object.values(people));

  await outage.end();
  await expectRecovery(app, people);
});

it('what an outage has kept from happening uses up no limit', async () => {
  const few = Object.fromEntries(policyNames.map((name) => [limitVariable(name), '6/3600']));
  const app = await testApp({ variables: few });
  const people = await warmUp(app);
  const outage = await outageOf(app);
  await outage.begin();
  for (let rounds = 0; rounds < 4; rounds += 1) await expectUnavailable(app, people.good);
  await outage.end();
  await expectRecovery(app, people);
});

it('an isolate that starts during the outage serves once it is over', async () => {
  const first = await testApp();
  const { good } = await warmUp(first);
  const outage = await outageOf(first);
  await outage.begin();
  const app = await testApp({ databaseUrl: first.databaseUrl, clock: first.clock });
  const jwks = () => app.request('GET', '/.well-known/jwks.json');
  const verify = () => app.request('GET', '/auth/verify-token', { token: good.access });
  expect([await jwks(), await verify()]).toMatchObject([{ status: 503 }, { status: 503 }]);
  expectDiscreetLog(app, [good]);
  await outage.end();
  expect([await jwks(), await verify()]).toMatchObject([{ status: 200 }, { status: 200 }]);
});

it('where neither the store nor the database can tell of revocation, no token is taken for good', async () => {
  const first = await testApp();
  const { good } = await warmUp(first);
  // A store that came back empty knows of nothing before now.
  const app = await testApp({ databaseUrl: first.databaseUrl, clock: first.clock });
  await app.request('GET', '/.well-known/jwks.json');
  const outage = await outageOf(app);
  await outage.begin();
  const answer = await app.request('GET', '/auth/verify-token', { token: good.access });
  expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
  await outage.end();
});

it('a connection that is ended under a statement counts as unavailable, and the next statement goes through', async () => {
  const app = await testApp();
  const { terminate } = await outageOf(app);
  const { db } = app.deps;
  const sleeping = db.execute(sql`select pg_sleep(20)`).then(
    () => undefined,
    (error: unknown) => error,
  );
  const isRunning = async () => {
    const running = sql`select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`;
    return (await query(db, z.unknown(), running)).length;
  };
  await expect.poll(isRunning).toBe(1);
  await terminate();
  const error = await sleeping;
  expect(sqlState(error)).toMatchObject({ code: '57P01' });
  expect(isUnavailable(error)).toBe(true);
  await expect.poll(async () => (await app.request('GET', '/readyz')).status).toBe(200);
});
