import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { query } from '../../src/db/database.ts';
import { oneTimeTokens } from '../../src/db/schema.ts';
import { wrapStatements } from '../../src/db/wrapped-session.ts';
import { type Mail, type Mailer, MailRefused, MailUndelivered } from '../../src/mailer.ts';
import { mailRow, taskRow } from '../../src/outbox/outbox.ts';
import { createRelay, type Task } from '../../src/outbox/relay.ts';
import { deleteOutbox, insertOutbox } from '../../src/outbox/store.ts';
import { enqueueMails, event, outboxOf, people } from '../support/enqueued-mails.ts';
import { createClock, createDatabase, type TestApp, testApp } from '../support/test-app.ts';

interface Sent extends Mail {
  readonly id: string;
}

/** Does what it is told with each mail; takes it where that neither throws nor hangs. */
function mailerThat(act: (mail: Sent) => unknown = () => undefined) {
  const asked: Sent[] = [];
  const taken: Sent[] = [];
  const mailer: Mailer = {
    kind: 'mailbox',
    async send(mail, id) {
      asked.push({ ...mail, id });
      await act({ ...mail, id });
      taken.push({ ...mail, id });
    },
    close: async () => undefined,
  };
  return { mailer, asked, taken };
}

const down = () => {
  throw new MailUndelivered('down');
};
const hangs = () => new Promise(() => undefined);

const relayOf = (app: TestApp, mailer: Mailer | undefined, tasks: Readonly<Record<string, Task>> = {}) =>
  createRelay({ ...app.deps, mailer }, tasks, async () => undefined);

const day = 86_400;

describe('the relay', () => {
  it('sends what was just written, and a sweep what nobody came to send, each once', async () => {
    const app = await testApp();
    const { mailer, taken } = mailerThat();
    const relay = relayOf(app, mailer);
    const [first, second] = await enqueueMails(app, people(2));
    if (first === undefined) throw new Error('no row');
    await relay.deliver([first]);
    await relay.sweep();
    expect(taken).toMatchObject([{ to: 'person-0@example.com', id: first.id }]);
    app.clock.advance(31);
    await relay.sweep();
    await relay.sweep();
    expect(taken.slice(1)).toMatchObject([{ to: 'person-1@example.com', id: second?.id }]);
    expect(await outboxOf(app)).toEqual([]);
  });

  it('sends each mail once however many relays run at once', async () => {
    const app = await testApp();
    await enqueueMails(app, people(60));
    app.clock.advance(31);
    const { mailer, taken } = mailerThat(() => new Promise((resolve) => setTimeout(resolve, 5)));
    await Promise.all(Array.from({ length: 6 }, () => relayOf(app, mailer).sweep()));
    expect(taken.map(({ to }) => to).toSorted()).toEqual(people(60).toSorted());
    expect(await outboxOf(app)).toEqual([]);
  });

  it('leaves a mail to who claimed it, and sends it again under the same id when that one does not come back', async () => {
    const app = await testApp();
    const [row] = await enqueueMails(app, people(1));
    app.clock.advance(31);
    const ended = mailerThat(hangs);
    void relayOf(app, ended.mailer).sweep();
    await expect.poll(() => ended.asked.length).toBe(1);
    const { mailer, taken } = mailerThat();
    app.clock.advance(59);
    await relayOf(app, mailer).sweep();
    expect(taken).toEqual([]);
    app.clock.advance(1);
    await relayOf(app, mailer).sweep();
    expect(taken.map(({ id }) => id)).toEqual([row?.id]);
  });

  it('does not begin what it could not end before others may claim it', async () => {
    const app = await testApp();
    const [row] = await enqueueMails(app, people(1));
    const { mailer, taken } = mailerThat();
    app.clock.advance(11);
    await relayOf(app, mailer).deliver(row === undefined ? [] : [row]);
    expect(taken).toEqual([]);
    expect(await outboxOf(app)).toMatchObject([{ attempts: 0, last_error: null }]);
  });

  it('that was held up and then fails does not take the mail from who has claimed it since', async () => {
    const app = await testApp();
    await enqueueMails(app, people(1));
    app.clock.advance(31);
    const fail = Promise.withResolvers<void>();
    const late = mailerThat(() => fail.promise);
    const sweeping = relayOf(app, late.mailer).sweep();
    await expect.poll(() => late.asked.length).toBe(1);
    app.clock.advance(61);
    void relayOf(app, mailerThat(hangs).mailer).sweep();
    await expect.poll(async () => (await outboxOf(app))[0]?.attempts).toBe(2);
    const claimed = await outboxOf(app);
    fail.reject(new MailUndelivered('late'));
    await sweeping;
    expect(await outboxOf(app)).toEqual(claimed);
  });

  it('waits longer after each failure, and gives up after twenty, some two days on, without losing the mail', async () => {
    const app = await testApp();
    await enqueueMails(app, people(1));
    const { mailer, asked } = mailerThat(down);
    const pauses: number[] = [];
    app.clock.advance(31);
    const start = app.clock.now();
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      await relayOf(app, mailer).sweep();
      const [row] = await outboxOf(app);
      if (row === undefined) throw new Error('lost');
      expect(row).toMatchObject({ attempts: attempt, dead: attempt === 20, last_error: 'down' });
      if (row.dead) break;
      const pause = (row.next - app.clock.now()) / 1000;
      const longest = Math.min(30 * 2 ** (attempt - 1), 6 * 3600);
      expect(pause).toBeGreaterThanOrEqual(longest / 2 - 1);
      expect(pause).toBeLessThanOrEqual(longest);
      pauses.push(pause);
      app.clock.advance(pause - 1);
      await relayOf(app, mailer).sweep();
      expect(asked).toHaveLength(attempt);
      app.clock.advance(1);
    }
    expect((app.clock.now() - start) / 1000).toBeGreaterThan(day);
    expect((app.clock.now() - start) / 1000).toBeLessThan(3 * day);
    app.clock.advance(30 * day);
    await relayOf(app, mailer).sweep();
    expect(asked).toHaveLength(20);
    const last = app.logLines.map((line) => JSON.parse(line)).filter(({ event: name }) => name === 'outbox_failed');
    expect(last).toHaveLength(20);
    expect(last.at(-1)).toMatchObject({ level: 'error', dead: true, error_code: 'down', kind: 'email' });
    expect(last.at(0)).toMatchObject({ level: 'warn', dead: false });
    expect(app.logLines.join()).not.toContain('person-0');
  });

  it('keeps a mail that was refused for good as dead, and goes on with the others', async () => {
    const app = await testApp();
    await enqueueMails(app, people(3));
    app.clock.advance(31);
    const refuse = ({ to }: Mail) => {
      if (to.startsWith('person-1')) throw new MailRefused('smtp_550');
    };
    const { mailer, asked, taken } = mailerThat(refuse);
    await relayOf(app, mailer).sweep();
    app.clock.advance(day);
    await relayOf(app, mailer).sweep();
    expect([asked.length, taken.length]).toEqual([3, 2]);
    expect(await outboxOf(app)).toMatchObject([{ dead: true, attempts: 1, last_error: 'smtp_550' }]);
  });

  it('sends nothing that is three days old', async () => {
    const app = await testApp();
    await enqueueMails(app, people(1));
    app.clock.advance(3 * day + 1);
    const { mailer, asked } = mailerThat();
    await relayOf(app, mailer).sweep();
    expect(asked).toEqual([]);
    expect(await outboxOf(app)).toMatchObject([{ dead: true, last_error: 'given_up' }]);
  });

  it('comes to an end with a mail that ends every instance which touches it', async () => {
    const app = await testApp();
    await enqueueMails(app, people(1));
    const { mailer, asked } = mailerThat(hangs);
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      app.clock.advance(61);
      void relayOf(app, mailer).sweep();
      await expect.poll(() => asked.length, { interval: 2 }).toBe(attempt);
    }
    app.clock.advance(61);
    await relayOf(app, mailer).sweep();
    expect(asked).toHaveLength(20);
    expect(await outboxOf(app)).toMatchObject([{ dead: true, last_error: 'given_up' }]);
  });

  it('tries what it does not understand or cannot open again as long as anything, and never holds up the rest', async () => {
    const clock = createClock();
    const databaseUrl = await createDatabase();
    const app = await testApp({ clock, databaseUrl });
    const elsewhere = await testApp({
      clock,
      databaseUrl,
      variables: { AUTH_SECRET: 'another-secret-another-secret-another-1' },
    });
    const message = { type: 'new_sign_in', data: event } as const;
    const mail = { to: 'ann@example.com', locale: 'en', message };
    const newer = { ...(await mailRow(app.deps, mail, undefined)), type: 'of_a_newer_release' };
    const misshapen = await taskRow(app.deps, 'x', { to: 'ann@example.com', locale: 'en', data: { at: 'canary' } });
    await insertOutbox(app.deps.db, [
      newer,
      { ...(await mailRow(app.deps, mail, undefined)), type: 'constructor' },
      await mailRow(elsewhere.deps, mail, undefined),
      { ...(await mailRow(app.deps, mail, undefined)), payloadSealed: 'canary' },
      { ...misshapen, kind: 'email', type: 'new_sign_in' },
      await taskRow(app.deps, 'unknown', {}),
      await taskRow(app.deps, 'toString', {}),
      await mailRow(app.deps, { ...mail, to: 'good@example.com' }, undefined),
    ]);
    const { mailer, taken } = mailerThat();
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      clock.advance(3 * 3600);
      await relayOf(app, mailer).sweep();
      expect(await outboxOf(app)).toHaveLength(7);
    }
    expect(taken.map(({ to }) => to)).toEqual(['good@example.com']);
    clock.advance(3 * day);
    await relayOf(app, mailer).sweep();
    const rows = await outboxOf(app);
    expect(rows.every(({ dead, attempts }) => dead && attempts > 1 && attempts <= 21)).toBe(true);
    expect(app.logLines.join()).toMatch(/unknown_type.*SealError|SealError.*unknown_type/s);
    expect(app.logLines.join()).not.toMatch(/canary|ann@/);
  });

  it("lets a one-time token's time begin anew when its mail is sent late", async () => {
    const app = await testApp();
    const id = app.deps.newId();
    const proof = { token: 'x'.repeat(43), code: 'ABCD-1234' };
    const message = { type: 'verify_email', data: { ...proof, ...event } } as const;
    const row = await mailRow(app.deps, { to: 'ann@example.com', locale: 'de', message }, undefined, id);
    const time = app.clock.now();
    const token = {
      purpose: 'verify_email',
      tokenHash: 'x',
      codeHash: 'y',
      createdAt: new Date(time),
      expiresAt: new Date(time + 3_600_000),
      codeExpiresAt: new Date(time + 600_000),
    } as const;
    await app.deps.db.insert(oneTimeTokens).values([
      { ...token, id, emailIndex: 'a' },
      { ...token, id: app.deps.newId(), emailIndex: 'b', tokenHash: 'z' },
    ]);
    await insertOutbox(app.deps.db, [row]);
    const { mailer, taken } = mailerThat();
    app.clock.advance(7200);
    await relayOf(app, mailer).sweep();
    expect(taken).toMatchObject([
      { to: 'ann@example.com', subject: 'Bestätigen Sie Ihre E-Mail-Adresse für Edge Auth' },
    ]);
    const seconds = (column: string) => sql.raw(`extract(epoch from ${column} - created_at)::int`);
    const rows = await query(
      app.deps.db,
      z.object({ created: z.number(), good: z.int(), code: z.int() }),
      sql`select (extract(epoch from created_at) * 1000)::float8 as created, ${seconds('expires_at')} as good,
        ${seconds('code_expires_at')} as code from one_time_tokens order by email_index`,
    );
    expect(rows).toEqual([
      { created: app.clock.now(), good: 3600, code: 600 },
      { created: time, good: 3600, code: 600 },
    ]);
  });

  it('asks a provider that is down for one batch in a sweep, and does not sweep for long', async () => {
    const app = await testApp();
    await enqueueMails(app, people(40));
    app.clock.advance(31);
    const first = mailerThat(down);
    await relayOf(app, first.mailer).sweep();
    expect(first.asked).toHaveLength(10);
    const slow = mailerThat(() => app.clock.advance(1));
    await relayOf(app, slow.mailer).sweep();
    expect(slow.taken).toHaveLength(20);
  });

  it('takes no provider for down that refuses what somebody made up', async () => {
    const app = await testApp();
    await enqueueMails(app, people(20));
    app.clock.advance(1);
    await enqueueMails(app, ['good@example.com']);
    app.clock.advance(31);
    const { mailer, taken } = mailerThat(({ to }) => {
      if (to.startsWith('person-')) throw new MailRefused('smtp_550');
    });
    await relayOf(app, mailer).sweep();
    expect(taken.map(({ to }) => to)).toEqual(['good@example.com']);
  });

  it('does not let tasks wait behind mails that nobody takes', async () => {
    const app = await testApp();
    await enqueueMails(app, people(40));
    app.clock.advance(1);
    const tasks = await Promise.all(Array.from({ length: 12 }, () => taskRow(app.deps, 'tidy', {})));
    await insertOutbox(app.deps.db, tasks);
    app.clock.advance(31);
    const { mailer, asked } = mailerThat(down);
    const done: string[] = [];
    const tidy: Task = async (_, row) => {
      await deleteOutbox(app.deps.db, row.id);
      done.push(row.id);
      return [];
    };
    await relayOf(app, mailer, { tidy }).sweep();
    expect(asked).toHaveLength(10);
    expect(done.toSorted()).toEqual(tasks.map(({ id }) => id).toSorted());
  });

  it('lets mails wait until there is somebody to take them', async () => {
    const app = await testApp();
    const rows = await enqueueMails(app, people(2));
    const relay = relayOf(app, undefined);
    await relay.deliver(rows);
    app.clock.advance(3600);
    await relay.sweep();
    app.clock.advance(3600);
    const { mailer, taken } = mailerThat();
    await relayOf(app, mailer).sweep();
    expect(taken).toHaveLength(2);
  });

  it('leaves events alone, and sends nothing whose row is gone', async () => {
    const app = await testApp();
    const [row] = await enqueueMails(app, people(2));
    await app.deps.db.execute(sql`update outbox set kind = 'event' where id = ${row?.id}`);
    await app.deps.db.execute(sql`delete from outbox where kind = 'email'`);
    app.clock.advance(day);
    const { mailer, asked } = mailerThat();
    await relayOf(app, mailer).sweep();
    expect(asked).toEqual([]);
    expect(await outboxOf(app)).toMatchObject([{ id: row?.id, attempts: 0, dead: false, last_error: null }]);
  });

  it('does not reject where the database fails right after a delivery', async () => {
    let broken = false;
    const fails = async (send: () => Promise<unknown>, text: string) => {
      if (broken && text.includes('with due as')) throw new Error('connection lost');
      return await send();
    };
    const app = await testApp({ wrapDatabase: (db) => wrapStatements(db, fails) });
    let sent = 0;
    const send = async () => {
      sent += 1;
      if (sent <= 3) throw new MailUndelivered('down');
    };
    const relay = relayOf(app, { kind: 'mailbox', send, close: async () => undefined });
    for (const row of await enqueueMails(app, people(4))) {
      broken = sent === 3;
      await relay.deliver([row]);
    }
    expect([sent, app.logLines.filter((line) => line.includes('outbox_unreachable')).length]).toEqual([4, 1]);
  });

  it('carries out a task once, and delivers what came of it', async () => {
    const app = await testApp();
    const { mailer, taken } = mailerThat();
    let runs = 0;
    const welcome: Task = async (payload, row) => {
      runs += 1;
      const result: unknown = await app.deps.db.execute(sql`delete from outbox where id = ${row.id}`);
      expect(result).toBeDefined();
      return await enqueueMails(app, [z.object({ to: z.string() }).parse(payload).to]);
    };
    const row = await taskRow(app.deps, 'welcome', { to: 'ann@example.com' });
    await insertOutbox(app.deps.db, [row]);
    const relay = relayOf(app, mailer, { welcome });
    await relay.deliver([row]);
    app.clock.advance(day);
    await relay.sweep();
    expect(runs).toBe(1);
    expect(taken.map(({ to }) => to)).toEqual(['ann@example.com']);
    expect(await outboxOf(app)).toEqual([]);
  });
});
