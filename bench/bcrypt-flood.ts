/**
 * `npm run check:bcrypt-flood`: 40 users who were carried over with bcrypt of cost 12 sign in at once at the service on
 * Node, each trying again after a 503 as long as it says. Meanwhile `/health` and `/auth/verify-token` answer as before:
 * the 99th percentile stays under five times that of an idle service. All 40 are signed in at the end, each 503 came with
 * `Retry-After`, and Redis was never taken for down.
 */
import { spawnSync } from 'node:child_process';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../dev/ports.ts';
import { password, send, tokens } from './support/client.ts';
import { assert } from './support/report.ts';
import { benchSecret, startService, unlimited } from './support/service.ts';
import { startStores } from './support/stores.ts';

const people = 40;
const rounds = 5;
const samples = 300;
/** No further round begins after so long: milliseconds. */
const patience = 70_000;
const factor = 5;
/** Idle counts as so many milliseconds at least: no more is a turn of the scheduler. */
const shortest = 1;
/** bcrypt of cost 12, made by libxcrypt. */
const carried = {
  password: 'пароль на память',
  hash: '$2b$12$jgSvKXrofyQH5rCfgK0YSuQQ0YKR/HGStrAiQSpS0s0WCyYJTbdBu',
};
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** How long a request took, from its first byte to the last of the answer: milliseconds. */
function timed(base: string, path: string, bearer?: string): Promise<number> {
  const headers = bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` };
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const sent = request(`${base}${path}`, { agent, headers }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - begun);
        else reject(new Error(`${path}: ${response.statusCode}`));
      });
    });
    sent.once('error', reject).end();
  });
}

interface Times {
  readonly health: number;
  readonly verify: number;
}

/** The 99th percentile of both, of so many requests each, or of as many as there are until told to stop. */
async function measure(base: string, access: string, goesOn: (count: number) => boolean): Promise<Times> {
  const times: { health: number[]; verify: number[] } = { health: [], verify: [] };
  while (goesOn(times.health.length)) {
    times.health.push(await timed(base, '/health'));
    times.verify.push(await timed(base, '/auth/verify-token', access));
    await sleep(5);
  }
  const percentile = (all: number[]) => all.toSorted((a, b) => a - b)[Math.ceil(all.length * 0.99) - 1] ?? 0;
  return { health: percentile(times.health), verify: percentile(times.verify) };
}

/** Everybody signs in at once, and comes again when told to. Resolves with what was answered. */
async function flood(base: string, round: number): Promise<readonly { status: number; retryAfter: string | null }[]> {
  const answers: { status: number; retryAfter: string | null }[] = [];
  const signIn = async (identifier: string) => {
    for (;;) {
      const body = { identifier, password: carried.password };
      const { status, headers } = await fetch(`${base}/auth/login`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      const retryAfter = headers.get('Retry-After');
      answers.push({ status, retryAfter });
      if (status !== 503) return;
      // Not all in the same moment: people come again when they have read it.
      await sleep((Number(retryAfter) + 2 * Math.random()) * 1000);
    }
  };
  await Promise.all(Array.from({ length: people }, (_, n) => signIn(`carried-${round}-${n}`)));
  return answers;
}

const stores = await startStores();
try {
  const variables = { ...unlimited, ...stores.variables, LOG_LEVEL: 'info' };
  const service = await startService(await freePort(), variables);
  try {
    const lines = Array.from({ length: rounds * people }, (_, n) => {
      const username = `carried-${Math.floor(n / people)}-${n % people}`;
      return `${JSON.stringify({ username, password_hash: carried.hash })}\n`;
    });
    const cli = join(import.meta.dirname, '../src/cli/main.ts');
    const env = { PATH: process.env['PATH'], AUTH_SECRET: benchSecret, DATABASE_URL: stores.variables.DATABASE_URL };
    const imported = spawnSync(process.execPath, [cli, 'import', '-'], { env, input: lines.join('') });
    assert(imported.status === 0, `${lines.length} users are carried over`);
    const { base } = service;
    const registered = await send(base, 'POST', '/auth/register', { body: { email: 'ann@example.com', password } });
    const { access_token: access } = tokens.parse(registered.answer);
    await measure(base, access, (count) => count < samples);

    const ratios: number[] = [];
    const started = performance.now();
    for (let round = 0; round < rounds && (round === 0 || performance.now() - started < patience); round += 1) {
      const idle = await measure(base, access, (count) => count < samples);
      let isOver = false;
      const begun = performance.now();
      const flooding = flood(base, round).finally(() => {
        isOver = true;
      });
      const busy = await measure(base, access, () => !isOver);
      const answers = await flooding;
      const took = ((performance.now() - begun) / 1000).toFixed(1);
      const refused = answers.filter(({ status }) => status === 503);
      assert(answers.filter(({ status }) => status === 200).length === people, `all ${people} signed in, in ${took} s`);
      assert(
        answers.length === people + refused.length,
        `${refused.length} were told to come again, and no other answer`,
      );
      assert(
        refused.every(({ retryAfter }) => Number(retryAfter) > 0),
        'each of these says when',
      );
      const of = (name: keyof Times) => `${name} ${idle[name].toFixed(1)} ms idle, ${busy[name].toFixed(1)} ms busy`;
      console.log(`round ${round + 1}, 99th percentile: ${of('health')}; ${of('verify')}`);
      ratios.push(
        Math.max(...(['health', 'verify'] as const).map((name) => busy[name] / Math.max(idle[name], shortest))),
      );
    }
    const outages = service.events('key_value_store').filter(({ state }) => state === 'down');
    assert(outages.length === 0, 'Redis was never taken for down');
    // A machine that others use may spoil a round, and not the better half of them.
    const middle = ratios.toSorted((a, b) => a - b)[Math.floor((ratios.length - 1) / 2)] ?? Number.POSITIVE_INFINITY;
    const told = ratios.map((ratio) => ratio.toFixed(1)).join(', ');
    assert(middle < factor, `busy is less than ${factor} times idle in the better half of the rounds: ${told}`);
  } finally {
    await service.stop();
  }
} finally {
  agent.destroy();
  await stores.remove();
}
