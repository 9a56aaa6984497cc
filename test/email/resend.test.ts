import { describe, expect, inject, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { MailRefused, MailUndelivered } from '../../src/mailer.ts';
import { createResend } from '../../src/platform/resend.ts';
import { enqueueMails, outboxOf, people, sweepUntilDone } from '../support/enqueued-mails.ts';
import { type ResendRun, resendState } from '../support/resend-state.ts';
import { testApp } from '../support/test-app.ts';

const mail = { to: 'ann@example.com', subject: 'Subject', text: 'Text', html: '<p>Text</p>' };
/** A server that speaks Resend's API, and the real SDK pointed at it. */
async function resend(how: ResendRun = {}) {
  const control = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${inject('resendServers')}/${path}`, init);
    expect(response.status).toBe(200);
    return await response.json();
  };
  const { port } = z.object({ port: z.int() }).parse(await control('', { method: 'POST' }));
  const set = (run: ResendRun | null) => control(String(port), { method: 'PUT', body: JSON.stringify(run) });
  onTestFinished(async () => void (await set(null)));
  await set(how);
  const baseUrl = `http://127.0.0.1:${port}`;
  const from = 'Auth <no-reply@auth.example>';
  return {
    mailer: createResend({ apiKey: 're_test', baseUrl, from }),
    stranger: createResend({ apiKey: 're_other', baseUrl, from }),
    start: (run: ResendRun) => set(run),
    stop: () => set(null),
    state: async () => resendState.parse(await control(String(port))),
  };
}

/** What became of one mail, in a word. */
async function outcome(sending: Promise<void>): Promise<string> {
  const error: unknown = await sending.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return 'taken';
  if (!(error instanceof MailRefused || error instanceof MailUndelivered)) return String(error);
  expect(`${error.message}${error.stack}`).not.toMatch(/canary|ann@example/);
  return `${error.name} ${error.code}`;
}

describe('Resend', () => {
  it('that is stopped in mid-run sends every enqueued mail, and none twice', async () => {
    const server = await resend();
    const app = await testApp({ mailer: server.mailer });
    const recipients = people(200);
    const rows = await enqueueMails(app, recipients);

    await server.start({ stopAfter: 60, loseEvery: 20 });
    app.clock.advance(31);
    await app.app.runScheduled();
    const before = (await server.state()).taken.length;
    expect(before).toBeGreaterThanOrEqual(60);
    expect(before).toBeLessThan(200);
    for (let minutes = 0; minutes < 60; minutes += 5) {
      app.clock.advance(300);
      await app.app.runScheduled();
    }
    expect((await server.state()).taken).toHaveLength(before);
    await server.start({ loseEvery: 40 });
    await sweepUntilDone(app, 4);

    expect(await outboxOf(app)).toEqual([]);
    const { taken, repeated } = await server.state();
    // By key, so that none is there twice; what came again was known.
    expect(taken.map(({ key }) => key).toSorted()).toEqual(rows.map((row) => row.id).toSorted());
    expect(taken.map(({ to }) => to).toSorted()).toEqual(recipients.toSorted());
    expect(repeated.length).toBeGreaterThanOrEqual(6);
    expect(app.logLines.join()).not.toMatch(/@example\.com|person-|canary|127\.0\.0\.1/);
  });

  it('takes a mail, and a repeated one once', async () => {
    const server = await resend();
    const id = crypto.randomUUID();
    for (let n = 0; n < 3; n += 1) expect(await outcome(server.mailer.send(mail, id))).toBe('taken');
    // As another release would word it: whoever it was for has had it.
    expect(await outcome(server.mailer.send({ ...mail, subject: 'Other' }, id))).toBe('taken');
    const { taken, repeated } = await server.state();
    expect(taken).toEqual([{ key: id, to: mail.to, subject: 'Subject' }]);
    expect(repeated).toHaveLength(3);
  });

  it('refuses for good what is wrong with a mail; all else may be mended', async () => {
    const error = (statusCode: number, name: string) => ({
      status: statusCode,
      body: JSON.stringify({ statusCode, name, message: 'canary ann@example.com' }),
    });
    const cases: [{ status: number; body: string; headers?: Record<string, string> }, string][] = [
      [error(400, 'validation_error'), 'MailRefused validation_error'],
      [error(422, 'invalid_parameter'), 'MailRefused invalid_parameter'],
      [error(422, 'missing_required_field'), 'MailRefused missing_required_field'],
      [error(403, 'validation_error'), 'MailUndelivered validation_error'],
      [error(422, 'invalid_from_address'), 'MailUndelivered invalid_from_address'],
      [error(401, 'restricted_api_key'), 'MailUndelivered restricted_api_key'],
      [error(409, 'concurrent_idempotent_requests'), 'MailUndelivered concurrent_idempotent_requests'],
      [error(429, 'daily_quota_exceeded'), 'MailUndelivered daily_quota_exceeded'],
      [error(500, 'internal_server_error'), 'MailUndelivered internal_server_error'],
      [error(451, 'Ann@example.com canary'), 'MailUndelivered unknown_answer'],
      [{ status: 502, body: '<html>canary</html>' }, 'MailUndelivered application_error'],
      [{ status: 500, body: 'null' }, 'MailUndelivered unknown_answer'],
      [{ status: 400, body: '"canary"' }, 'MailUndelivered unknown_answer'],
      [{ status: 200, body: 'null' }, 'MailUndelivered unknown_answer'],
      [{ status: 200, body: '{}' }, 'MailUndelivered unknown_answer'],
      [{ status: 200, body: 'canary' }, 'MailUndelivered application_error'],
    ];
    const server = await resend({ answers: cases.map(([answer]) => answer) });
    for (const [, expected] of cases) {
      expect(await outcome(server.mailer.send(mail, crypto.randomUUID()))).toBe(expected);
    }
    expect(await outcome(server.stranger.send(mail, crypto.randomUUID()))).toBe('MailUndelivered invalid_api_key');
    expect(await outcome(server.mailer.send({ ...mail, to: 'x' }, crypto.randomUUID()))).toBe(
      'MailRefused validation_error',
    );
    expect((await server.state()).taken).toEqual([]);
    await server.stop();
    expect(await outcome(server.mailer.send(mail, crypto.randomUUID()))).toBe('MailUndelivered application_error');
  });

  it('that is asked too fast is asked again a little later, unless it says to wait for long', async () => {
    const tooFast = {
      status: 429,
      body: JSON.stringify({ statusCode: 429, name: 'rate_limit_exceeded', message: '' }),
    };
    const server = await resend({
      answers: [
        { ...tooFast, headers: { 'Retry-After': '0' } },
        { ...tooFast, headers: { 'Retry-After': '0' } },
      ],
    });
    expect(await outcome(server.mailer.send(mail, crypto.randomUUID()))).toBe('taken');
    expect((await server.state()).requests).toBe(3);
    await server.start({ answers: [{ ...tooFast, headers: { 'Retry-After': '3600' } }] });
    expect(await outcome(server.mailer.send(mail, crypto.randomUUID()))).toBe('MailUndelivered rate_limit_exceeded');
    expect((await server.state()).requests).toBe(4);
  });
});
