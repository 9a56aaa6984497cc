import { describe, expect, inject, it } from 'vitest';
import { type Mail, type Mailer, MailUndelivered } from '../../src/mailer.ts';
import { collectingSink, waiting, webhooks } from '../support/events.ts';
import { registerUser, type TestApp, type TestAppOptions, testApp } from '../support/test-app.ts';

const rows = async ({ deps }: TestApp) => {
  const result: unknown = await deps.db.execute("select id from outbox where kind = 'email' and not dead");
  return (result as { rows: unknown[] }).rows.length;
};

/** A mailer that takes nothing while it is down. */
function fragileMailer() {
  const state = { isDown: false, asked: 0, taken: [] as Mail[] };
  const mailer: Mailer = {
    kind: 'mailbox',
    async send(mail) {
      state.asked += 1;
      if (state.isDown) throw new MailUndelivered('unreachable');
      state.taken.push(mail);
    },
    close: async () => undefined,
  };
  return { state, mailer };
}

/** Pauses have grown to minutes by then, or to half an hour. */
const longOutage = inject('isThorough') ? 1800 : 600;
const wide = { LIMIT_REGISTER_ADDRESS: '100000/60' };

/** An application that has registered people while nobody took what they were enqueued, for so many seconds. */
async function afterOutage(options: TestAppOptions, setDown: (isDown: boolean) => void, seconds: number) {
  const app = await testApp({ ...options, variables: { ...wide, ...options.variables } });
  setDown(true);
  for (let people = 0; people < 8; people += 1) await registerUser(app);
  for (let passed = 0; passed < seconds; passed += 60) {
    app.clock.advance(60);
    await app.app.runScheduled();
    await app.app.drain();
  }
  setDown(false);
  return app;
}

/** The timer of Node, which goes off every five seconds. */
async function drainFor(app: TestApp, seconds: number) {
  for (let passed = 0; passed < seconds; passed += 5) {
    app.clock.advance(5);
    await app.app.drain();
  }
}

describe('what waits for somebody who was away', () => {
  it('is delivered within seconds when a sink is back, and no sweep of the minute is waited for', async () => {
    const sink = collectingSink('a');
    const app = await afterOutage({ sinks: [sink], variables: webhooks('a') }, (is) => (sink.isDown = is), longOutage);
    await drainFor(app, 10);
    expect((await waiting(app)).length).toBeLessThan(8);
    // What may have been under way was left to come due by itself.
    await drainFor(app, 120);
    expect(await waiting(app)).toEqual([]);
  });

  it('is delivered after the answer to the next request whose event is taken', async () => {
    const sink = collectingSink('a');
    const app = await afterOutage({ sinks: [sink], variables: webhooks('a') }, (is) => (sink.isDown = is), 600);
    app.clock.advance(31);
    await registerUser(app);
    expect((await waiting(app)).length).toBeLessThan(8);
  });

  it('costs one event a try while the sink is away, and no attempt', async () => {
    const sink = collectingSink('a');
    const app = await afterOutage({ sinks: [sink], variables: webhooks('a') }, (is) => (sink.isDown = is), 600);
    sink.isDown = true;
    const attempts = async () => (await waiting(app)).reduce((sum, each) => sum + Number(each['attempts']), 0);
    const before = { asked: sink.asked(), attempts: await attempts() };
    for (let tries = 0; tries < 60; tries += 1) {
      app.clock.advance(5);
      await app.app.drain();
    }
    expect(sink.asked() - before.asked).toBeLessThanOrEqual(60);
    expect(sink.asked() - before.asked).toBeGreaterThan(20);
    expect(await attempts()).toBe(before.attempts);
    expect((await waiting(app)).length).toBe(8 * 2);
  });

  it('is sent within seconds when who takes mails is back', async () => {
    const { state, mailer } = fragileMailer();
    const app = await afterOutage({ mailer }, (is) => (state.isDown = is), longOutage);
    expect(await rows(app)).toBe(8);
    await drainFor(app, 10);
    expect(await rows(app)).toBeLessThan(4);
    await drainFor(app, 120);
    expect(await rows(app)).toBe(0);
    expect(new Set(state.taken.map(({ to }) => to)).size).toBe(8);
  });

  it('costs no statement where nobody was away', async () => {
    const app = await testApp({ sinks: [collectingSink('a')], variables: webhooks('a') });
    await registerUser(app);
    const before = app.statements.length;
    await app.app.drain();
    expect(app.statements.length).toBe(before);
  });
});
