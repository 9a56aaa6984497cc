/**
 * What a request costs beside the bare thing: `node bench/ceilings.ts [requests]`, 4,000 for each measurement by default.
 * Ours runs as on a server of its own, with Postgres and Redis; beside it stand a Hono route that returns one text, and
 * one that verifies a token with jose and nothing else. Each is asked in turns, over kept connections, from this
 * process. The figure is the CPU time of the serving process for a request, told by the operating system, so that other
 * work on the machine says little.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { freePort } from '../dev/ports.ts';
import { password, tokens } from './support/client.ts';
import { startService, unlimited } from './support/service.ts';
import { startStores } from './support/stores.ts';

const requests = Number(process.argv[2] ?? 4000);
const rounds = 5;
const connections = 16;
/** The kernel counts in ticks of so many milliseconds (`getconf CLK_TCK` is 100 on Linux). */
const tick = 10;

/** CPU time of a process until now, in milliseconds. */
function cpuOf(pid: number): number {
  const [user = 0, system = 0] =
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(11, 13).map(Number) ?? [];
  return (user + system) * tick;
}

const agent = new Agent({ keepAlive: true, maxSockets: connections });

async function send(
  url: string,
  options: { method?: string; headers?: Record<string, string> } = {},
  body?: object,
): Promise<{ status: number; text: string }> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = { ...options.headers, ...(text === undefined ? {} : { 'Content-Type': 'application/json' }) };
  const sent = request(url, { agent, method: options.method ?? 'GET', headers });
  sent.end(text);
  const [response] = await once(sent, 'response');
  let read = '';
  response.setEncoding('utf8');
  for await (const chunk of response) read += chunk;
  return { status: response.statusCode, text: read };
}

interface Target {
  readonly name: string;
  readonly pid: number;
  readonly ask: () => Promise<{ status: number }>;
}

/** @returns microseconds of the server's CPU for a request */
async function measure({ name, pid, ask }: Target, count: number): Promise<number> {
  const before = cpuOf(pid);
  let left = count;
  const client = async () => {
    while (left > 0) {
      left -= 1;
      const { status } = await ask();
      if (status !== 200) throw new Error(`${name} answers ${status}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  return ((cpuOf(pid) - before) * 1000) / count;
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const stores = await startStores();
const service = await startService(await freePort(), {
  ...stores.variables,
  ...unlimited,
  ENVIRONMENT: 'dev',
  LOG_LEVEL: 'info',
});
const barePort = await freePort();
const bare = fork(join(import.meta.dirname, 'support/bare-server.ts'), [String(barePort), service.base]);
try {
  await once(bare, 'message');
  const credentials = { email: `ann-${process.pid}@example.com`, password };
  const { access_token } = tokens.parse(
    JSON.parse((await send(`${service.base}/auth/register`, { method: 'POST' }, credentials)).text),
  );
  const headers = { Authorization: `Bearer ${access_token}` };
  const at = (name: string, pid: number | undefined, url: string): Target => ({
    name,
    pid: pid ?? 0,
    ask: () => send(url, { headers }),
  });
  const bareBase = `http://127.0.0.1:${barePort}`;
  const pairs = [
    [
      'JWKS',
      at('ours', service.pid, `${service.base}/.well-known/jwks.json`),
      at('a static route', bare.pid, `${bareBase}/jwks`),
    ],
    ['health', at('ours', service.pid, `${service.base}/health`), at('a static route', bare.pid, `${bareBase}/jwks`)],
    [
      'verify-token',
      at('ours', service.pid, `${service.base}/auth/verify-token`),
      at('jwtVerify', bare.pid, `${bareBase}/verify`),
    ],
    ['me', at('ours', service.pid, `${service.base}/users/me`), at('jwtVerify', bare.pid, `${bareBase}/verify`)],
  ] as const;
  console.log(`microseconds of CPU for a request, median of ${rounds} rounds of ${requests}`);
  for (const [name, ours, beside] of pairs) {
    await measure(ours, requests);
    await measure(beside, requests);
    const figures: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      figures[0].push(await measure(ours, requests));
      figures[1].push(await measure(beside, requests));
    }
    const [our, their] = figures.map(median);
    const ratio = ((their ?? 0) / (our ?? 1)).toFixed(2);
    console.log(`${name.padEnd(13)} ours ${our?.toFixed(0)}, ${beside.name} ${their?.toFixed(0)}: ${ratio}`);
  }
} finally {
  agent.destroy();
  bare.kill();
  await service.stop();
  await stores.remove();
}
