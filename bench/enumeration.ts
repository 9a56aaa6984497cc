/**
 * Whether the time of an answer tells who has an account: `node bench/enumeration.ts [samples] [path]`, 2,000 for each
 * class and all paths by default. Starts the service on Node with an embedded Postgres, as `npm start` does, asks about known and unknown
 * accounts in random order, and prints for each endpoint the AUC of the best guess by time alone (Mann-Whitney): 0.5 is
 * a coin, 1 is certainty. Fails above 0.55.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';

const most = 0.55;
const samples = Number(process.argv[2] ?? 2000);
const port = 8898;
const password = 'correct horse battery staple';
const data = mkdtempSync(join(tmpdir(), 'edge-auth-enumeration-'));
// Postgres may run as an account of its own, which has to get through.
chmodSync(data, 0o755);

const wide = '1000000/60';
const never = '1000000/1/1/60';
const service = spawn(process.execPath, ['src/node.ts'], {
  env: {
    PATH: process.env['PATH'],
    PORT: String(port),
    DATA_DIR: data,
    LOG_LEVEL: 'error',
    MAILBOX_URL: `http://localhost:${port + 1}`,
    REQUIRE_EMAIL_VERIFICATION: 'true',
    LIMIT_REGISTER_ADDRESS: wide,
    LIMIT_LOGIN_ADDRESS: wide,
    LIMIT_MAIL_ADDRESS: wide,
    LIMIT_MAIL_ACCOUNT: wide,
    LIMIT_PROOF_ADDRESS: wide,
    LIMIT_CODE_ACCOUNT: wide,
    LIMIT_LOGIN_FAILURES: wide,
    LOCKOUT_ACCOUNT_ADDRESS: never,
    LOCKOUT_ACCOUNT: never,
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Sends one request and gives its status and how long it took, in milliseconds. */
function post(path: string, body: object): Promise<{ status: number; time: number }> {
  const text = JSON.stringify(body);
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request({ port, path, method: 'POST', agent, headers }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, time: performance.now() - start }));
    });
    sent.once('error', reject);
    sent.end(text);
  });
}

const mail = z.array(z.object({ to: z.string(), text: z.string() }));

/** Registers somebody and, if asked, verifies the address from the mail. */
async function registered(verify: boolean): Promise<string> {
  const email = `known-${crypto.randomUUID()}@example.com`;
  await post('/auth/register', { email, password });
  for (let tries = 0; tries < 100; tries += 1) {
    const messages = mail.parse(await (await fetch(`http://localhost:${port + 1}/messages.json`)).json());
    const token = /#token=([\w-]+)/.exec(messages.find(({ to }) => to === email)?.text ?? '')?.[1];
    if (token !== undefined) {
      if (verify) await post('/auth/verify-email', { token });
      return email;
    }
    await sleep(20);
  }
  throw new Error('no mail came');
}

/** The chance that a random time of one class exceeds one of the other, whichever way it leans. */
function auc(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((time) => ({ time, own: true })), ...b.map((time) => ({ time, own: false }))];
  all.sort((x, y) => x.time - y.time);
  const ranks = all.reduce((sum, { own }, index) => (own ? sum + index + 1 : sum), 0);
  const area = (ranks - (a.length * (a.length + 1)) / 2) / (a.length * b.length);
  return Math.max(area, 1 - area);
}

const median = (times: readonly number[]) => times.toSorted((x, y) => x - y)[Math.floor(times.length / 2)] ?? 0;
const unknown = () => `known-${crypto.randomUUID()}@example.com`;

async function run(): Promise<boolean> {
  const people = await Promise.all(Array.from({ length: 20 }, () => registered(true)));
  // A code can be tried ten times: so many that none is, and as many strangers whose tries count alike.
  const waiting: string[] = [];
  const crowd = Math.ceil(samples / 8);
  for (let n = 0; n < crowd; n += 1) waiting.push(await registered(false));
  const strangers = Array.from({ length: crowd }, unknown);
  const one = (list: readonly string[]) => list[Math.floor(Math.random() * list.length)] ?? '';
  const tried = { known: 0, unknown: 0 };
  const wrong = { password: 'not the password of anybody' };
  const endpoints: Record<string, { known: () => object; unknown: () => object }> = {
    '/auth/login': {
      known: () => ({ email: one(people), ...wrong }),
      unknown: () => ({ email: unknown(), ...wrong }),
    },
    '/auth/register': {
      known: () => ({ email: one(people), password }),
      unknown: () => ({ email: unknown(), password }),
    },
    '/auth/forgot-password': { known: () => ({ email: one(people) }), unknown: () => ({ email: unknown() }) },
    '/auth/resend-verification': { known: () => ({ email: one(waiting) }), unknown: () => ({ email: unknown() }) },
    '/auth/verify-email': {
      known: () => ({ email: waiting[tried.known++ % crowd], code: 'AAAA-AAAA' }),
      unknown: () => ({ email: strangers[tried.unknown++ % crowd], code: 'AAAA-AAAA' }),
    },
  };
  let good = true;
  for (const [path, classes] of Object.entries(endpoints)) {
    if (!path.includes(process.argv[3] ?? '')) continue;
    const times = { known: [] as number[], unknown: [] as number[] };
    const statuses = new Set<number>();
    const order = [...Array(samples).fill('known'), ...Array(samples).fill('unknown')].map((name) => ({
      name: name === 'known' ? ('known' as const) : ('unknown' as const),
      place: Math.random(),
    }));
    for (const { name } of order.sort((x, y) => x.place - y.place)) {
      const { status, time } = await post(path, classes[name]());
      statuses.add(status);
      times[name].push(time);
      // What follows an answer is done by then, and does not disturb the next one.
      await sleep(4);
    }
    const area = auc(times.known, times.unknown);
    good &&= area <= most && statuses.size === 1;
    const medians = `${median(times.known).toFixed(2)} and ${median(times.unknown).toFixed(2)} ms`;
    console.log(`${path}: AUC ${area.toFixed(3)}, status ${[...statuses].join()}, medians ${medians}`);
  }
  return good;
}

try {
  await new Promise<void>((resolve, reject) => {
    service.once('exit', () => reject(new Error('the service did not start')));
    service.stdout.on('data', (chunk) => String(chunk).includes('ready:') && resolve());
  });
  if (!(await run())) {
    console.error(`error: some time tells more than ${most}, or some status differs`);
    process.exitCode = 1;
  }
} finally {
  agent.destroy();
  service.kill('SIGTERM');
  await new Promise((resolve) => service.once('exit', resolve));
  rmSync(data, { recursive: true, force: true });
}
