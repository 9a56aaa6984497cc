import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

export interface RabbitmqServer {
  readonly url: string;
  readonly port: number;
  /** Starts it again on the same port, with what it had stored. */
  start(): Promise<void>;
  /** In order: what is confirmed is on the disk. */
  stop(): Promise<void>;
  /** As when the power fails. */
  kill(): Promise<void>;
  /** Evaluates an Erlang expression in it, such as one that takes all of its memory. Gives what comes of it. */
  evaluate(expression: string): Promise<string>;
  /** Ends it and forgets what it had stored. */
  remove(): Promise<void>;
}

/** Of the package, below its wrapper, which insists on an account of its own. */
const binaries = [process.env['RABBITMQ_SERVER'] ?? '', '/usr/lib/rabbitmq/bin/rabbitmq-server'];

/**
 * A RabbitMQ node of our own on 127.0.0.1, which neither knows nor disturbs another one of the machine: it has a name,
 * directories, ports and a cookie of its own, and needs no epmd. Takes some 5 s to start.
 */
export async function startRabbitmqServer(): Promise<RabbitmqServer> {
  const binary = binaries.find((path) => path !== '' && existsSync(path));
  if (binary === undefined) throw new Error('No rabbitmq-server: install the Debian package');
  const directory = await mkdtemp(join(tmpdir(), 'edge-auth-rabbitmq-'));
  const [port, distribution] = await freePorts();
  const environment = {
    PATH: process.env['PATH'],
    HOME: directory,
    RABBITMQ_NODENAME: `edge-auth-${port}@localhost`,
    RABBITMQ_MNESIA_BASE: join(directory, 'db'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(directory, 'none'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(directory, 'none-advanced'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'plugins'),
    // A shell on its standard input: for `evaluate`, and it ends when that ends, however this process dies.
    RABBITMQ_ALLOW_INPUT: 'true',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: [
      `-start_epmd false -erl_epmd_port ${distribution} -kernel inet_dist_use_interface {127,0,0,1}`,
      '+S 1:1 +sbwt none',
    ].join(' '),
  };
  for (const name of ['db', 'log']) await mkdir(join(directory, name));

  let running: Running | undefined;
  let asked = 0;
  const end = async (how: (child: Child) => void) => {
    if (running === undefined) return;
    const { child, exited } = running;
    running = undefined;
    how(child);
    await exited;
  };
  const server: RabbitmqServer = {
    port,
    url: `amqp://guest:guest@127.0.0.1:${port}/`,
    async start() {
      running = launch(binary, environment);
      await running.ready;
    },
    // The end of its standard input would end it at once, and in no order.
    stop: () => end((child) => child.stdin.write('init:stop().\n')),
    kill: () => end(({ pid }) => pid !== undefined && process.kill(-pid, 'SIGKILL')),
    async evaluate(expression) {
      if (running === undefined) throw new Error('It does not run');
      // The shell echoes what it is sent: only its answer has the number in one piece.
      const from = String(asked);
      asked += 1;
      const to = String(asked);
      return await running.ask(
        `io:format("answer-~s-~s ~0p end-~s~n", ["${from}", "${to}", (catch begin ${expression} end), "${to}"]).\n`,
        new RegExp(`answer-${from}-${to} (.*) end-${to}`),
      );
    },
    async remove() {
      await server.kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    await server.start();
  } catch (error) {
    await server.remove();
    throw error;
  }
  return server;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;
type Running = ReturnType<typeof launch>;

function launch(binary: string, env: NodeJS.ProcessEnv) {
  // A group of its own: Ctrl-C in the terminal reaches the tests, and they end it.
  const child: Child = spawn(binary, [], { env, stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin.on('error', () => undefined);
  let output = '';
  const watchers = new Set<() => void>();
  child.stdout.on('data', (chunk) => {
    output = (output + String(chunk)).slice(-100_000);
    for (const watch of watchers) watch();
  });
  const seen = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const watch = () => {
        const found = pattern.exec(output);
        if (found !== null) resolve(found[1] ?? '');
      };
      watchers.add(watch);
      watch();
      void exited.then(() => reject(new Error(`rabbitmq-server ended: ${output.slice(-1000)}`)));
    });
  const ready = seen(/Server startup complete/);
  ready.catch(() => undefined);
  return {
    child,
    exited,
    ready,
    async ask(line: string, answer: RegExp) {
      child.stdin.write(line);
      return await seen(answer);
    },
  };
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    ports.push(address.port);
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  const [first = 0, second = 0] = ports;
  return [first, second];
}
