import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:http2';
import type { Proxy as Nginx } from './nginx.ts';
import { expect } from './report.ts';

/** Sends many requests over one connection of HTTP/2. @returns their statuses, how often each */
async function overHttp2({ base, ca }: Nginx, times: number): Promise<Record<string, number>> {
  const session = connect(base, { ca: readFileSync(ca) });
  const counts: Record<string, number> = {};
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const stream = session.request({ ':path': '/healthz' });
      stream.once('response', ({ ':status': status }) => {
        counts[String(status)] = (counts[String(status)] ?? 0) + 1;
      });
      stream.once('error', reject).once('close', resolve).resume();
    });
  try {
    await Promise.all(Array.from({ length: times }, one));
    return counts;
  } finally {
    session.close();
  }
}

const redirect = ({ plain }: Nginx) =>
  new Promise<unknown[]>((resolve, reject) => {
    const sent = request({ socketPath: plain, path: '/users/me?a=1', headers: { Host: 'auth.example.com' } });
    sent.once('response', ({ statusCode, headers }) => resolve([statusCode, headers.location]));
    sent.once('error', reject).end();
  });

/** The proxy speaks HTTP/2, sends plain HTTP to TLS, and ends a flood from one address. */
export async function checkProxy(limited: Nginx): Promise<void> {
  expect('a request over HTTP/2', await overHttp2(limited, 1), { '200': 1 });
  expect('plain HTTP is redirected', await redirect(limited), [308, 'https://auth.example.com/users/me?a=1']);
  // nginx lets 100 requests of an address pass at a time, and 200 in a burst.
  const counts = await overHttp2(limited, 600);
  console.log(`600 requests at once over one connection: ${JSON.stringify(counts)}`);
  expect('kinds of answers', Object.keys(counts).sort(), ['200', '429']);
}
