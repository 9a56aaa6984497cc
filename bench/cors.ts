/**
 * `npm run check:cors`: a page of another origin uses the service in Debian's Chromium, by `fetch` with
 * `credentials: 'include'` and by XMLHttpRequest as axios does with `withCredentials`. From a listed origin all of it works,
 * the cookie of the device goes along, and the headers can be read. From another one nothing can be read, and the log
 * names the origin.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import * as z from 'zod';
import { freePort } from '../dev/ports.ts';
import { password } from './support/client.ts';
import { expect } from './support/report.ts';
import { startService } from './support/service.ts';
import { startStores } from './support/stores.ts';

const ends: (() => Promise<unknown>)[] = [];

/** An empty page on a port of its own. @returns its origin */
async function startPage(): Promise<string> {
  const server = createServer((_, answer) => answer.writeHead(200, { 'Content-Type': 'text/html' }).end('<title>app'));
  server.listen(await freePort(), '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://localhost:${Object(server.address()).port}`;
}

const told = z.union([
  z.string(),
  z.object({ status: z.number(), device: z.boolean(), challenge: z.boolean(), token: z.string().optional() }),
]);
type Told = z.output<typeof told>;
type Asked = readonly [address: string, method?: string, body?: string, bearer?: string];

/** Runs in the page, as its scripts would. */
const byFetch = `async ([address, method = 'GET', body = '', bearer = '']) => {
  try {
    const answer = await fetch(address, {
      method,
      credentials: 'include',
      headers: {
        ...(body === '' ? {} : { 'Content-Type': 'application/json' }),
        ...(bearer === '' ? {} : { Authorization: 'Bearer ' + bearer }),
      },
      ...(body === '' ? {} : { body }),
    });
    const { access_token: token } = await answer.json();
    const has = (name) => answer.headers.get(name) !== null;
    return { status: answer.status, device: has('X-Device-Token'), challenge: has('WWW-Authenticate'), token };
  } catch (error) {
    return String(error);
  }
}`;

const byXhr = `([address, method, body]) =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    request.withCredentials = true;
    request.setRequestHeader('Content-Type', 'application/json');
    request.setRequestHeader('Accept', 'application/json, text/plain, */*');
    request.onerror = () => resolve('failed');
    request.onload = () => {
      const { access_token: token } = JSON.parse(request.responseText);
      const has = (name) => request.getResponseHeader(name) !== null;
      resolve({ status: request.status, device: has('X-Device-Token'), challenge: has('WWW-Authenticate'), token });
    };
    request.send(body);
  })`;

const ask = async (page: Page, how: string, asked: Asked): Promise<Told> =>
  told.parse(await page.evaluate(`(${how})(${JSON.stringify(asked)})`));

const tokenOf = (answer: Told): string => (typeof answer === 'string' ? '' : (answer.token ?? ''));
const seen = (answer: Told) =>
  typeof answer === 'string' ? answer : [answer.status, answer.device, answer.challenge, answer.token !== undefined];

async function useFromListed(context: BrowserContext, origin: string, base: string): Promise<void> {
  const page = await context.newPage();
  await page.goto(origin);
  const cookies: (string | undefined)[] = [];
  page.on('request', async (request) => {
    if (request.url() === `${base}/auth/login`) cookies.push((await request.allHeaders())['cookie']);
  });
  const account = JSON.stringify({ email: 'ann@example.com', password });
  const credentials = JSON.stringify({ identifier: 'ann@example.com', password });
  const registered = await ask(page, byFetch, [`${base}/auth/register`, 'POST', account]);
  expect('fetch registers, and reads the device token', seen(registered), [201, true, false, true]);
  const stored = (await context.cookies(base)).map(({ name, httpOnly }) => [name, httpOnly]);
  expect('the browser keeps the cookie of the device', stored, [['device', true]]);
  const signedIn = await ask(page, byFetch, [`${base}/auth/login`, 'POST', credentials]);
  expect('fetch signs in', seen(signedIn), [200, true, false, true]);
  const byAxios = await ask(page, byXhr, [`${base}/auth/login`, 'POST', credentials]);
  expect('XMLHttpRequest signs in', seen(byAxios), [200, true, false, true]);
  const sent = cookies.map((cookie) => /^device=\w/.test(cookie ?? ''));
  expect('the cookie went along with both', sent, [true, true]);
  const verified = await ask(page, byFetch, [`${base}/auth/verify-token`, 'GET', '', tokenOf(byAxios)]);
  expect('fetch asks verify-token', seen(verified), [200, false, false, false]);
  const me = await ask(page, byFetch, [`${base}/users/me`, 'GET', '', 'nonsense']);
  expect('fetch reads why a token is refused', seen(me), [401, false, true, false]);
  const keys = await ask(page, byFetch, [`${base}/.well-known/jwks.json`]);
  expect('fetch reads the key set', seen(keys), [200, false, false, false]);
}

async function useFromOther(context: BrowserContext, origin: string, base: string): Promise<void> {
  const page = await context.newPage();
  await page.goto(origin);
  const credentials = JSON.stringify({ identifier: 'ann@example.com', password });
  const failed = 'TypeError: Failed to fetch';
  expect(
    'from another origin fetch reads nothing',
    [
      await ask(page, byFetch, [`${base}/auth/login`, 'POST', credentials]),
      await ask(page, byFetch, [`${base}/health`]),
      await ask(page, byFetch, [`${base}/auth/verify-token`, 'GET', '', 'x']),
      await ask(page, byXhr, [`${base}/auth/login`, 'POST', credentials]),
    ],
    [failed, failed, failed, 'failed'],
  );
}

try {
  const stores = await startStores();
  ends.push(stores.remove);
  const [listed, other] = [await startPage(), await startPage()];
  const port = await freePort();
  const base = `http://localhost:${port}`;
  const variables = { ...stores.variables, ENVIRONMENT: 'dev', ISSUER: base, CORS_ORIGINS: listed, WORKERS: '1' };
  const service = await startService(port, variables);
  ends.push(service.stop);
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      // Chromium has no sandbox for root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
    ],
  });
  ends.push(() => browser.close());
  await useFromListed(await browser.newContext(), listed, base);
  await useFromOther(await browser.newContext(), other, base);
  const reasons = service.events('request').map(({ reason }) => String(reason));
  const named = new Set(reasons.filter((reason) => reason.includes(`${other} is not in CORS_ORIGINS`)));
  expect('the log names the origin', named.size, 1);
} finally {
  for (const end of ends.toReversed()) await end();
}
