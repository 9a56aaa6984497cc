// Node only: starts an HTTP server of its own.
import { request } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Mailbox, startMailbox } from '../../dev/mailbox.ts';

let mailbox: Mailbox;
let clock = Date.parse('2026-01-02T03:04:05.000Z');

beforeEach(async () => {
  mailbox = await startMailbox(0, () => clock);
});

afterEach(() => mailbox.stop());

const url = (path: string) => `http://127.0.0.1:${mailbox.port}${path}`;
const message = {
  to: 'ann@example.com',
  subject: 'Hello',
  text: 'see http://localhost/x?a=1&b=2',
  html: '<p>Hello</p>',
};
const post = (body: unknown, type = 'application/json') =>
  fetch(url('/messages'), { method: 'POST', headers: { 'content-type': type }, body: JSON.stringify(body) });
const list = async () => (await fetch(url('/messages.json'))).json();

it('lists what it was sent, newest first, with the time', async () => {
  expect((await post(message)).status).toBe(201);
  clock += 1_000;
  await post({ ...message, subject: 'Second' });
  expect(await list()).toEqual([
    { ...message, subject: 'Second', at: '2026-01-02T03:04:06.000Z' },
    { ...message, at: '2026-01-02T03:04:05.000Z' },
  ]);
});

it('empties itself on DELETE', async () => {
  await post(message);
  await fetch(url('/messages'), { method: 'DELETE' });
  expect(await list()).toEqual([]);
});

it('keeps the last 500', async () => {
  for (let n = 0; n <= 500; n += 50) {
    await Promise.all(Array.from({ length: 50 }, () => post(message)));
  }
  expect(await list()).toHaveLength(500);
});

it('refuses what is not a message, too large, or sent by a form', async () => {
  expect((await post({ to: 'x' })).status).toBe(400);
  expect((await post({ ...message, text: 'x'.repeat(1024 * 1024) })).status).toBe(413);
  expect((await post(message, 'text/plain')).status).toBe(415);
  expect((await fetch(url('/elsewhere'))).status).toBe(404);
  expect(await list()).toEqual([]);
});

it('refuses a foreign Host, as DNS rebinding would bring', async () => {
  const status = await new Promise((resolve) => {
    const options = {
      port: mailbox.port,
      host: '127.0.0.1',
      path: '/messages.json',
      headers: { host: 'evil.example' },
    };
    request(options, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end();
  });
  expect(status).toBe(403);
});

it('shows an inbox in which nothing of an email runs', async () => {
  const attack = '"><script>alert(1)</script>\'&amp;';
  await post({ to: attack, subject: attack, text: `${attack} http://x.example/"onclick=1`, html: attack });
  const response = await fetch(url('/'));
  const page = await response.text();
  expect(response.headers.get('content-type')).toContain('text/html');
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(response.headers.get('content-security-policy')).not.toContain('script-src');
  expect(page).not.toContain('<script');
  expect(page).not.toContain('"onclick');
  expect(page.match(/&lt;script&gt;/g)).toHaveLength(4);
  expect(page).toMatch(/<iframe [^>]*sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="/);
});

it('makes the links of the text part clickable', async () => {
  await post(message);
  expect(await (await fetch(url('/'))).text()).toContain(
    '<a href="http://localhost/x?a=1&amp;b=2" target="_blank" rel="noreferrer">http://localhost/x?a=1&amp;b=2</a>',
  );
});
