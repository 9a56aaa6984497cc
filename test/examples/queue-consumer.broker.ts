// Runs the example in workerd with the simulator of Queues, beside a Worker that sends: takes some time to start.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import * as z from 'zod';
import type { CloudEvent } from '../../src/events/sink.ts';
import { cloudEvent } from '../support/cloud-event.ts';

const root = join(import.meta.dirname, '../..');
const wrangler = createRequire(import.meta.url).resolve('wrangler');
const state = z.object({
  users: z.array(z.object({ id: z.string(), email: z.string().nullable(), username: z.string().nullable() })),
  dead: z.array(z.unknown()),
});
let directory: string;
let child: ChildProcess;
let base = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edge-auth-queue-consumer-'));
  // The example as it is, but that it does not wait for hours before it gives a message up.
  const consumer = join(directory, 'queue-consumer');
  await cp(join(root, 'examples/queue-consumer'), consumer, { recursive: true });
  const config = join(consumer, 'wrangler.toml');
  const text = await readFile(config, 'utf8');
  await writeFile(
    config,
    text.replace('retry_delay = 60', 'retry_delay = 0').replace('max_retries = 20', 'max_retries = 2'),
  );
  const env = {
    ...process.env,
    CI: 'true',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_REGISTRY_PATH: join(directory, 'registry'),
    WRANGLER_CACHE_DIR: join(directory, 'cache'),
    XDG_CONFIG_HOME: join(directory, 'config'),
  };
  const persist = ['--persist-to', join(directory, 'state')];
  const migrate = [wrangler, 'd1', 'migrations', 'apply', 'DB', '--local', '--config', config, ...persist];
  await promisify(execFile)(process.execPath, migrate, { env, cwd: root });
  const configs = ['--config', join(root, 'test/support/queue-producer/wrangler.toml'), '--config', config];
  const dev = [wrangler, 'dev', ...configs, ...persist, '--ip', '127.0.0.1', '--port', '0', '--inspector-port', '0'];
  child = spawn(process.execPath, dev, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const read = (chunk: Buffer) => {
    output += String(chunk);
  };
  child.stdout?.on('data', read);
  child.stderr?.on('data', read);
  await vi.waitFor(
    () => {
      base = /Ready on (http:\S+)/.exec(output)?.[1] ?? '';
      if (base === '') throw new Error(output);
    },
    { timeout: 90_000, interval: 100 },
  );
});
afterAll(async () => {
  if (child?.pid !== undefined && child.exitCode === null) {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGTERM');
    await exited;
  }
  await rm(directory, { recursive: true, force: true });
});

async function send(path: string, ...bodies: unknown[]): Promise<void> {
  const { status } = await fetch(`${base}${path}`, { method: 'POST', body: JSON.stringify(bodies) });
  expect(status).toBe(204);
}

const outcome = async () => state.parse(await (await fetch(base)).json());
const row = ({ subject, data }: CloudEvent) => ({ id: subject, email: data['email'], username: data['username'] });
const byId = (rows: ReturnType<typeof row>[]) => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
/** All at the same time: the order is that of `sequence`. */
const at = (n: number) => String(n).padStart(19, '0');

it('has each user once, whatever is repeated, out of order or unreadable', async () => {
  const [ann, ben, cem] = [
    cloudEvent({ sequence: at(1) }),
    cloudEvent({ sequence: at(1) }),
    cloudEvent({ sequence: at(1) }),
  ];
  const after = (user: CloudEvent, type: string, place: number, data = {}) =>
    cloudEvent({ type, subject: user.subject, sequence: at(place), data: { user_id: user.subject, ...data } });
  const deleted = after(ann, 'UserDeleted', 5);
  const [earlier, later] = [
    after(ben, 'EmailChanged', 9, { email: 'earlier@example.com' }),
    after(ben, 'EmailChanged', 10, { email: 'later@example.com' }),
  ];
  await send('/', ann, ann, cem);
  await expect.poll(async () => (await outcome()).users).toEqual(byId([ann, cem].map(row)));
  const unreadable = { canary: 1 };
  await send('/raw', unreadable, 'not an event');
  await send('/', deleted, later, ben, earlier, ann);
  const expected = byId([{ ...row(ben), email: 'later@example.com' }, row(cem)]);
  await expect.poll(async () => (await outcome()).users).toEqual(expected);
  await expect.poll(async () => (await outcome()).dead).toEqual(expect.arrayContaining([unreadable, 'not an event']));
  // Repeated once more, after all.
  await send('/', ann, ben, later);
  const last = cloudEvent();
  await send('/', last);
  await expect.poll(async () => (await outcome()).users).toEqual(byId([...expected, row(last)]));
});
