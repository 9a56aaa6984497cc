import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

export interface Redis {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * The Redis that the suites share: `TEST_REDIS_URL`, or a `redis-server` of the PATH started here. With neither the
 * files that need one are skipped, which is said once; in CI it is an error.
 */
export async function startRedis(): Promise<Redis | undefined> {
  const url = process.env['TEST_REDIS_URL'];
  if (url !== undefined && url !== '') return { url, stop: async () => {} };
  const server = await startRedisServer();
  if (server !== undefined) return server;
  const message = 'No TEST_REDIS_URL and no redis-server on the PATH: the tests of the Redis and Upstash adapters';
  if (process.env['CI'] === 'true') throw new Error(`${message} cannot run`);
  console.warn(`${message} are skipped`);
  return undefined;
}

export interface RedisServer extends Redis {
  readonly port: number;
}

/**
 * A `redis-server` of our own on 127.0.0.1, without persistence; undefined where none is installed.
 * @param port a port to come back to, for a test that stops and restarts it
 * @param settings further ones, by their names in redis.conf
 */
export async function startRedisServer(
  port?: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<RedisServer | undefined> {
  const binary = await findOnPath('redis-server');
  if (binary === undefined) return undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launch(binary, port ?? (await freePort()), settings);
    } catch (error) {
      // Someone else may have taken the port since it was found free.
      if (attempt === 5) throw error;
    }
  }
}

/** Ends Redis when its standard input ends, which happens however this process dies; ends itself when Redis does. */
const leash = 'exec 3<&0; "$0" "$@" 3<&- & redis=$!; { cat <&3 > /dev/null; kill $redis; } & wait $redis';

async function launch(binary: string, port: number, more: Readonly<Record<string, string>>): Promise<RedisServer> {
  // It neither writes a file nor finds one to load.
  const files = { save: '', appendonly: 'no', dir: tmpdir(), dbfilename: `edge-auth-${port}.rdb` };
  const settings = { port, bind: '127.0.0.1', daemonize: 'no', logfile: '', ...files, ...more };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  // Detached: Ctrl-C in the terminal reaches the tests, and they end it.
  const child = spawn('/bin/sh', ['-c', leash, binary, ...args], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.ref();
    child.stdin.end();
    await exited;
  };
  try {
    await ready(child, exited);
  } catch (error) {
    await stop();
    throw error;
  }
  // Neither shall keep this process from ending.
  child.unref();
  child.stdout.resume();
  return { url: `redis://127.0.0.1:${port}`, port, stop };
}

async function ready(child: ChildProcessByStdio<Writable, Readable, null>, exited: Promise<void>): Promise<void> {
  let output = '';
  const isReady = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes('Ready to accept connections')) resolve();
    });
  });
  const failed = exited.then(() => {
    throw new Error(`redis-server did not start: ${output.trim().split('\n').at(-1)}`);
  });
  await Promise.race([isReady, failed]);
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, name);
    if (
      directory !== '' &&
      (await access(path, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return path;
  }
  return undefined;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
