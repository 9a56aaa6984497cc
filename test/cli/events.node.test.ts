// On Node only: commands run there.
import { describe, expect, it } from 'vitest';
import { eventsCommand } from '../../src/cli/events.ts';
import { collectingSink, waiting, webhooks } from '../support/events.ts';
import { testSecret } from '../support/secret.ts';
import { issuer, registerUser, testApp } from '../support/test-app.ts';

describe('npm run cli -- events', () => {
  it('lists what was given up, and has it delivered again', async () => {
    const sink = collectingSink('a');
    sink.isDown = true;
    const app = await testApp({ variables: webhooks('a'), sinks: [sink] });
    const user = await registerUser(app);
    await app.deps.db.execute(`update outbox set dead = true, attempts = 20 where kind = 'event'`);
    const environment = { ENVIRONMENT: 'dev', AUTH_SECRET: testSecret, ISSUER: issuer, DATABASE_URL: app.databaseUrl };
    const run = (...args: string[]) => eventsCommand(args, environment);
    const lines = (await run('list')).map((line) => JSON.parse(line));
    expect(lines.map(({ type, state }) => [type, state]).sort()).toEqual([
      ['SessionStarted', 'dead'],
      ['UserCreated', 'dead'],
    ]);
    const one = await run('list', '--id', String(lines[1]?.id));
    expect(one.map((line) => JSON.parse(line))).toEqual([lines[1]]);
    expect(await run('replay', '--type', 'UserDeleted')).toEqual([expect.stringMatching(/ 0 events/)]);
    expect(await run('replay', '--user', user.id)).toEqual([expect.stringMatching(/ 2 events/)]);
    expect(await waiting(app)).toMatchObject([{ dead: false }, { dead: false }]);
    sink.isDown = false;
    app.clock.advance(60);
    await app.app.runScheduled();
    expect(sink.taken.map(({ type }) => type)).toEqual(['UserCreated', 'SessionStarted']);
    await expect(run('replay', '--type', 'Nothing')).rejects.toThrow(/^--type: /);
    for (const args of [[], ['reply'], ['list', 'replay']])
      await expect(run(...args)).rejects.toThrow(/^Usage: npm run cli -- events/);
  });
});
