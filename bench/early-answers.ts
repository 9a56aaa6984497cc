/**
 * `npm run check:early-answers -- [Node|Worker]`: requests that are answered before their bodies are read harm nobody, on Node and on the
 * Worker in plain workerd. Behind an nginx that
 * keeps connections, people sign in while others send bodies that are too large, packed, for nowhere, or without a token:
 * each sign-in succeeds, each of the others gets its own answer, and none is a 502. Then, through the same nginx, which
 * packs answers, a profile is changed with the entity tag that it makes of ours.
 */
import { freePort } from '../dev/ports.ts';
import { password, send, tokens } from './support/client.ts';
import { startKeepAliveNginx } from './support/keep-alive-nginx.ts';
import { expect } from './support/report.ts';
import { unlimited } from './support/service.ts';
import { type Kind, startSubject, surround } from './support/subject.ts';

const signIns = 150;
const ends: (() => Promise<unknown>)[] = [];
const large = Buffer.alloc(300_000, 'x');
const json = { 'Content-Type': 'application/json' };

/** What is answered early, and how. */
const early: readonly (readonly [status: number, path: string, headers: Readonly<Record<string, string>>])[] = [
  [413, '/auth/login', json],
  [413, '/auth/register', { ...json, 'Content-Encoding': 'gzip' }],
  [413, '/auth/verify-token', json],
  [413, '/nowhere', { 'Content-Type': 'text/plain' }],
  [415, '/auth/login', { 'Content-Type': 'text/plain' }],
  [401, '/auth/verify-token', json],
];

type Counts = Record<string, number>;
const add = (counts: Counts, name: string | number) => {
  counts[name] = (counts[name] ?? 0) + 1;
};

/** People sign in, eight at once, while four others send what is answered early. */
async function disturb(kind: Kind, base: string): Promise<void> {
  const email = `${crypto.randomUUID()}@example.com`;
  const body = { identifier: email, password };
  await send(base, 'POST', '/auth/register', { body: { email, password } });
  const signedIn: Counts = {};
  const disturbed: Counts = {};
  let left = signIns;
  let isOver = false;
  const people = Array.from({ length: 8 }, async () => {
    while (left > 0) {
      left -= 1;
      add(signedIn, await send(base, 'POST', '/auth/login', { body }).then(({ status }) => status, String));
    }
  });
  const others = Array.from({ length: 4 }, async (_, start) => {
    for (let turn = start; !isOver; turn += 1) {
      const [wanted, path, headers] = early[turn % early.length] ?? [0, '', {}];
      const sent = wanted === 413 ? large : large.subarray(0, 40_000);
      const answer = await fetch(`${base}${path}`, { method: 'POST', headers, body: sent }).then(async (response) => {
        await response.text();
        return response.status;
      }, String);
      add(disturbed, answer === wanted ? 'as they should be' : `${path}: ${answer}`);
    }
  });
  await Promise.all(people);
  isOver = true;
  await Promise.all(others);
  expect(`${kind}: sign-ins beside requests that are answered early`, signedIn, { 200: signIns });
  expect(`${kind}: of those, all are answered`, Object.keys(disturbed), ['as they should be']);
  console.log(`${kind}: ${disturbed['as they should be']} requests were answered early`);
}

/** nginx makes a weak tag of ours when it packs the answer. */
async function changeProfile(base: string): Promise<void> {
  const registered = await send(base, 'POST', '/auth/register', {
    body: { email: `${crypto.randomUUID()}@example.com`, password },
  });
  const authorization = { Authorization: `Bearer ${tokens.parse(registered.answer).access_token}` };
  const read = await fetch(`${base}/users/profile`, { headers: { ...authorization, 'Accept-Encoding': 'gzip' } });
  await read.text();
  const tag = read.headers.get('ETag') ?? '';
  expect('the tag that nginx makes', [read.headers.get('Content-Encoding'), tag.startsWith('W/"')], ['gzip', true]);
  const change = async (name: string) => {
    const headers = { ...authorization, ...json, 'If-Match': tag };
    const response = await fetch(`${base}/users/profile`, { method: 'PUT', headers, body: JSON.stringify({ name }) });
    await response.text();
    return response.status;
  };
  expect('a change with it, and one more with the same', [await change('Ann'), await change('Bob')], [200, 412]);
  const again = await fetch(`${base}/.well-known/jwks.json`, { headers: { 'Accept-Encoding': 'gzip' } });
  await again.text();
  const known = { 'Accept-Encoding': 'gzip', 'If-None-Match': again.headers.get('ETag') ?? '' };
  const status = (await fetch(`${base}/.well-known/jwks.json`, { headers: known })).status;
  expect('the key set again, with its tag', status, 304);
}

async function check(kind: Kind): Promise<void> {
  const surroundings = await surround(kind);
  ends.push(surroundings.remove);
  const service = await startSubject(kind, {
    ...unlimited,
    ...surroundings.variables,
    ARGON2_ITERATIONS: '1',
    TRUSTED_PROXIES: '127.0.0.0/8',
    LOG_LEVEL: 'error',
  });
  ends.push(service.stop);
  const ports = [await freePort(), await freePort()] as const;
  ends.push(await startKeepAliveNginx(Number(new URL(service.base).port), ports));
  for (const port of ports) await disturb(kind, `http://127.0.0.1:${port}`);
  await changeProfile(`http://127.0.0.1:${ports[0]}`);
}

try {
  const [only] = process.argv.slice(2);
  for (const kind of ['Node', 'Worker'] as const) if (only === undefined || only === kind) await check(kind);
} finally {
  for (const end of ends.toReversed()) await end();
}
