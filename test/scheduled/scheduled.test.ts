import { describe, expect, it } from 'vitest';
import { createClock, type TestApp, testApp } from '../support/test-app.ts';

const steps = [
  'repeat_revocations',
  'relay_outbox',
  'relay_events',
  'give_up_events',
  'rotate_signing_keys',
  'note_endings',
  'delete_sessions',
  'delete_one_time_tokens',
  'trim_audit_log',
  'delete_dead_mail',
];
const linesOf = ({ logLines }: TestApp) => logLines.map((line) => JSON.parse(line));
const stepsOf = (app: TestApp, event: string) =>
  linesOf(app)
    .filter((line) => line.event === event)
    .map(({ step }) => step);
const runs = (app: TestApp) => stepsOf(app, 'scheduled').filter((step) => step === 'delete_sessions').length;

describe('the scheduled work', () => {
  it('logs of each step how long it took and how much was done', async () => {
    const app = await testApp();
    await app.app.runScheduled();
    expect(stepsOf(app, 'scheduled')).toEqual(steps);
    for (const { level, duration_ms } of linesOf(app)) expect([level, duration_ms]).toEqual(['info', 0]);
    expect(
      linesOf(app)
        .slice(-4)
        .map(({ done }) => done),
    ).toEqual([0, 0, 0, 0]);
  });

  it('does the other steps when one fails, and logs which, without the reason in words', async () => {
    const app = await testApp();
    for (const table of ['signing_keys', 'one_time_tokens', 'audit_log']) {
      await app.deps.db.execute(`alter table ${table} rename to canary_${table}`);
    }
    await app.app.runScheduled();
    // The relay renews the tokens of the mails it sends.
    const failing = ['relay_outbox', 'rotate_signing_keys', 'delete_one_time_tokens', 'trim_audit_log'];
    expect(stepsOf(app, 'scheduled_failed')).toEqual(failing);
    expect(stepsOf(app, 'scheduled')).toEqual(steps.filter((step) => !failing.includes(step)));
    expect(app.logLines.join()).not.toMatch(/select|canary/);
  });

  it('does not overlap with itself, unless a run was cut off', async () => {
    const app = await testApp();
    await Promise.all([app.app.runScheduled(), app.app.runScheduled({ alone: true })]);
    expect(runs(app)).toBe(1);
    expect(linesOf(app).some(({ event }) => event === 'scheduled_skipped')).toBe(true);
    const first = app.app.runScheduled();
    app.clock.advance(301);
    await Promise.all([first, app.app.runScheduled()]);
    expect(runs(app)).toBe(3);
  });

  it('begins no further step once it is told to end', async () => {
    const app = await testApp();
    const ending = new AbortController();
    const run = app.app.runScheduled({ signal: ending.signal });
    ending.abort();
    await run;
    expect(stepsOf(app, 'scheduled')).toEqual(steps.slice(0, 1));
  });
});

describe('of many replicas', () => {
  /** Another one, with a clock of its own that stands at the same time. */
  const beside = ({ databaseUrl, clock }: TestApp) => testApp({ databaseUrl, clock: createClock(clock.now()) });
  const runAlone = (apps: readonly TestApp[]) => Promise.all(apps.map(({ app }) => app.runScheduled({ alone: true })));
  const advance = (apps: readonly TestApp[], seconds: number) => {
    for (const { clock } of apps) clock.advance(seconds);
  };
  const total = (apps: readonly TestApp[]) => apps.reduce((sum, app) => sum + runs(app), 0);

  it('one does the work, once a minute, whoever comes first', async () => {
    const first = await testApp();
    const apps = [first, await beside(first), await beside(first), await beside(first)];
    for (let minute = 1; minute <= 3; minute += 1) {
      await runAlone(apps);
      expect(total(apps)).toBe(minute);
      // Their timers began at different moments.
      advance(apps, 20);
      await runAlone(apps.toReversed());
      expect(total(apps)).toBe(minute);
      advance(apps, 40);
    }
    expect(apps.flatMap(linesOf).filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('another takes over when the one that works has died', async () => {
    const dying = await testApp();
    const other = await beside(dying);
    // It never gets as far as the end of its run.
    const { db } = dying.deps;
    await db.execute("insert into leases values ('scheduled', to_timestamp(0))");
    await db.execute('create function die() returns trigger language plpgsql as $$ begin return null; end $$');
    const isGivenBack = 'new.until < old.until';
    await db.execute(
      `create trigger die before update on leases for each row when (${isGivenBack}) execute function die()`,
    );
    await runAlone([dying]);
    expect([runs(dying), runs(other)]).toEqual([1, 0]);
    advance([dying, other], 299);
    await runAlone([other]);
    expect(runs(other)).toBe(0);
    advance([dying, other], 1);
    await runAlone([dying, other]);
    expect(runs(dying) + runs(other)).toBe(2);
  });

  it('one that was slow does not end the run of its successor', async () => {
    const slow = await testApp();
    const [other, third] = [await beside(slow), await beside(slow)];
    const { db } = slow.deps;
    await db.execute(
      'create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.5); return old; end $$',
    );
    await db.execute('create trigger slow before delete on audit_log for each row execute function slow()');
    await db.execute(
      "insert into audit_log (id, type, result, created_at) values (gen_random_uuid(), 'login', 'failure', to_timestamp(0))",
    );
    const running = runAlone([slow]);
    // By now it holds the lease, or the others could not be kept out below.
    await expect.poll(() => stepsOf(slow, 'scheduled')).toContain('delete_one_time_tokens');
    advance([other, third], 300);
    await runAlone([other]);
    expect(runs(other)).toBe(1);
    const held = async () => JSON.stringify(await db.execute('select until from leases'));
    const before = await held();
    await running;
    expect(runs(slow)).toBe(1);
    expect(await held()).toBe(before);
    await runAlone([third]);
    expect(runs(third)).toBe(0);
  });

  it('one that ends leaves the rest of the minute to others', async () => {
    const ending = await testApp();
    const other = await beside(ending);
    const signal = AbortSignal.abort();
    await ending.app.runScheduled({ alone: true, signal });
    expect(runs(ending)).toBe(0);
    await runAlone([other]);
    expect(runs(other)).toBe(1);
  });

  it('none works, and all say so, where nobody can be asked whose turn it is', async () => {
    const app = await testApp();
    await app.deps.db.execute('alter table leases rename to gone');
    await runAlone([app]);
    const relays = ['relay_outbox', 'relay_events'];
    expect([stepsOf(app, 'scheduled'), stepsOf(app, 'scheduled_failed')]).toEqual([
      relays,
      ['claim_lease', 'claim_lease'],
    ]);
  });
});
