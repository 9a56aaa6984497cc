/**
 * Constant load from a process of its own: `node bench/support/load.ts <base> <seconds> <clients> <pause ms> [ca file]`.
 * Each client keeps a connection and a session of its own; it refreshes it, asks who it is, and has its token verified,
 * again and again, and signs in anew every tenth time. Ends after so many seconds, or with its standard
 * input. Prints a line of JSON for each request when all is over; `begun` and `ended` are
 * milliseconds since the epoch. Prints `loading` when every client is signed in.
 */
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { password, tokens } from './client.ts';

const [base = '', seconds = '10', clients = '8', pause = '20', ca] = process.argv.slice(2);
const isTls = base.startsWith('https:');
const options = { keepAlive: true, maxSockets: Number(clients) };
const agent = isTls
  ? new HttpsAgent({ ...options, ...(ca === undefined ? {} : { ca: readFileSync(ca) }) })
  : new HttpAgent(options);
const request = isTls ? requestHttps : requestHttp;

export interface Sent {
  readonly path: string;
  readonly begun: number;
  readonly ended: number;
  /** 0 where the connection broke, for which `error` says why. */
  readonly status: number;
  readonly error?: string;
  readonly retryAfter?: string | undefined;
}

const all: Sent[] = [];

async function send(method: string, path: string, body?: object, access?: string): Promise<unknown> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
    ...(access === undefined ? {} : { Authorization: `Bearer ${access}` }),
  };
  const begun = Date.now();
  try {
    const answer = await new Promise<{ response: IncomingMessage; body: string }>((resolve, reject) => {
      const sent = request(new URL(path, base).href, { method, agent, headers }, (response) => {
        let read = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          read += chunk;
        });
        response.once('end', () => resolve({ response, body: read })).once('error', reject);
      });
      sent.once('error', reject).end(text);
    });
    const { statusCode = 0, headers: answered } = answer.response;
    all.push({ path, begun, ended: Date.now(), status: statusCode, retryAfter: answered['retry-after'] });
    return statusCode < 300 ? JSON.parse(answer.body) : undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    all.push({ path, begun, ended: Date.now(), status: 0, error: code });
    return undefined;
  }
}

async function client(email: string, until: Promise<number>): Promise<void> {
  const credentials = { identifier: email, password };
  let session = tokens.parse(await send('POST', '/auth/register', { email, password }));
  signedIn += 1;
  if (signedIn === Number(clients)) begin.resolve(Date.now() + Number(seconds) * 1000);
  const end = await until;
  for (let round = 0; Date.now() < end && !told; round += 1) {
    const next =
      round % 10 === 9
        ? await send('POST', '/auth/login', credentials)
        : await send('POST', '/auth/refresh', { refresh_token: session.refresh_token });
    session = tokens.safeParse(next).data ?? session;
    await send('GET', '/users/me', undefined, session.access_token);
    await send('GET', '/auth/verify-token', undefined, session.access_token);
    await sleep(Number(pause));
  }
}

let signedIn = 0;
let told = false;
const begin = Promise.withResolvers<number>();
if (import.meta.main) {
  process.stdin.resume().once('close', () => {
    told = true;
  });
  void begin.promise.then(() => console.log('loading'));
  const people = Array.from({ length: Number(clients) }, () => `load-${crypto.randomUUID()}@example.com`);
  await Promise.all(people.map((email) => client(email, begin.promise)));
  agent.destroy();
  process.stdin.destroy();
  process.stdout.write(`${all.map((sent) => JSON.stringify(sent)).join('\n')}\n`);
}
