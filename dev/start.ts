/**
 * `npm run dev`: the Worker in workerd and what it needs beside it, in one command. Postgres, the Neon endpoint in front
 * of it and the mailbox come first, then the Worker; when it answers, one line `ready: http://localhost:<port>` is
 * printed. A signal ends everything in order with exit code 0, the end of any part with 1.
 */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../src/platform/postgres-migrations.ts';
import { readDotEnv } from './dot-env.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { startMailbox } from './mailbox.ts';
import { startNeonEndpoint } from './neon-endpoint.ts';
import { portTaken } from './ports.ts';
import { startSchedule } from './schedule.ts';
import { readSecrets } from './secrets.ts';
import { startWorker } from './worker.ts';

const root = resolve(import.meta.dirname, '..');
const dotEnv = readDotEnv(resolve(root, '.env'));
const data = resolve(root, process.env['DATA_DIR'] ?? dotEnv.all['DATA_DIR'] ?? '.data');

const end = Promise.withResolvers<{ readonly code: 0 | 1; readonly why: string }>();
const ending = new AbortController();
const parts = new AsyncDisposableStack();

function print(part: string, line: string): void {
  // The parts' last words are about being stopped, which is what we want of them.
  if (!ending.signal.aborted) {
    console.log(`${part.padEnd(8)} ${line}`);
  }
}

async function start(signal: AbortSignal): Promise<void> {
  console.log('starting ...');
  const port = await choosePort();
  const secrets = await readSecrets(resolve(root, '.dev.vars'));

  const mailbox = await startMailbox(port + 1);
  parts.defer(mailbox.stop);
  const postgres = await startEmbeddedPostgres({
    directory: resolve(data, 'postgres'),
    log: (line) => print('postgres', line),
    signal,
  });
  parts.defer(postgres.stop);
  void postgres.ended.then((how) => end.resolve({ code: 1, why: `Postgres ended: ${how}` }));
  signal.throwIfAborted();
  await untilAborted(migrate(postgres.url), signal);
  const neon = await startNeonEndpoint({ postgresUrl: postgres.url });
  parts.defer(neon.stop);
  signal.throwIfAborted();

  const worker = await startWorker({
    root,
    directory: resolve(data, 'wrangler'),
    port,
    variables: {
      ISSUER: `http://localhost:${port}`,
      ...secrets,
      ...dotEnv.forWorker,
      ENVIRONMENT: 'dev',
      DATABASE_URL: postgres.url,
      NEON_HTTP_ENDPOINT: neon.url,
      MAILBOX_URL: mailbox.url,
    },
    print: (line) => print('worker', line),
  });
  parts.defer(worker.stop);
  void worker.ended.then((why) => end.resolve({ code: 1, why }));
  if (dotEnv.unused.length > 0) {
    print(
      'worker',
      `.env: npm run dev ignores these variables, which only npm start uses: ${dotEnv.unused.join(', ')}`,
    );
  }
  for (const { name, advice } of dotEnv.misspelt) print('worker', `.env: ${name} is not a variable. ${advice}`);
  if (secrets['DATABASE_URL'] !== undefined) {
    print('postgres', 'npm run dev ignores DATABASE_URL in .dev.vars and uses its own database');
  }
  await untilAnswering(port, signal);
  parts.defer(startSchedule(port));
  print('mailbox', mailbox.url);
  console.log(`ready: http://localhost:${port}`);
}

async function choosePort(): Promise<number> {
  const port = Number(process.env['PORT'] || dotEnv.all['PORT'] || 8787);
  if (!Number.isInteger(port) || port < 1 || port > 65_534) {
    throw new Error('PORT must be a number from 1 to 65534');
  }
  for (const [wanted, what] of [
    [port, 'the Worker'],
    [port + 1, 'the mailbox'],
  ] as const) {
    // An earlier run that is just ending gets a moment to let go.
    for (let waited = 0; await portTaken(wanted); waited += 100) {
      if (waited >= 400) {
        throw new Error(`port ${wanted} (for ${what}) is taken. Stop the process that uses it, or set another PORT`);
      }
      await sleep(100);
    }
  }
  return port;
}

async function untilAnswering(port: number, signal: AbortSignal): Promise<void> {
  const hint = setTimeout(() => print('worker', 'does not answer yet. The lines above should say why'), 20_000);
  for (let pause = 50; !(await answers(port, '/healthz', signal)); pause = Math.min(pause * 1.2, 1_000)) {
    await sleep(pause, undefined, { signal });
  }
  clearTimeout(hint);
}

async function answers(port: number, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
    });
    await response.body?.cancel();
    return response.ok || (response.status === 404 && path !== '/' && (await answers(port, '/', signal)));
  } catch {
    return false;
  }
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
  ]);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Also for the second one that npm passes on after Ctrl-C: what has begun to end, ends in order.
  process.on(signal, () => end.resolve({ code: 0, why: `stopping (${signal})` }));
}
if (process.env['npm_lifecycle_event'] !== undefined) {
  // npm does not always pass on the signal that ends it. It is the parent, since the script is an `exec`; whoever started
  // npm, such as a shell that ran it in the background, may go.
  const npm = process.ppid;
  setInterval(() => process.ppid === npm || end.resolve({ code: 0, why: 'stopping (npm has gone)' }), 100).unref();
}
// A terminal that was closed takes no more lines; that is no reason to stop halfway.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const started = start(ending.signal);
started.catch((error: unknown) => {
  end.resolve({ code: 1, why: error instanceof Error ? error.message : String(error) });
});
const { code, why } = await end.promise;
if (code === 0) {
  console.log(why);
} else {
  console.error(`error: ${why}`);
}
ending.abort(new Error('stopping'));
// What was being started has to be known before it can be stopped.
await Promise.race([started.catch(() => undefined), sleep(1_000)]);
await parts.disposeAsync().catch((error: unknown) => console.error('error:', error));
process.exit(code);
