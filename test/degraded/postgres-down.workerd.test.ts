// Workerd only: it takes the Neon endpoint away. What both runtimes share is in `postgres-down.test.ts`.
import { neonConfig } from '@neondatabase/serverless';
import { expect, inject, it, onTestFinished } from 'vitest';
import { testApp } from '../support/test-app.ts';
import { expectDiscreetLog, expectRecovery, expectTheRest, expectUnavailable, warmUp } from './postgres-down-suite.ts';

it('a Neon endpoint that refuses connections is unavailable, until it is back', async () => {
  const app = await testApp();
  const people = await warmUp(app);
  // The driver keeps one address for all of a process.
  neonConfig.fetchEndpoint = 'http://127.0.0.1:1/sql';
  onTestFinished(() => {
    neonConfig.fetchEndpoint = inject('neonEndpoint');
  });
  await expectUnavailable(app, people.good);
  await expectTheRest(app, people);
  expectDiscreetLog(app, Object.values(people));
  neonConfig.fetchEndpoint = inject('neonEndpoint');
  await expectRecovery(app, people);
});

it('a Neon that knows no such database is unavailable', async () => {
  const url = new URL((await testApp()).databaseUrl);
  url.pathname = '/no_such_database';
  const app = await testApp({ databaseUrl: url.href });
  const answer = await app.request('GET', '/.well-known/jwks.json');
  expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
  expectDiscreetLog(app);
});
