import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '../..');
/** Inside of the project, so that Node finds its packages from there. */
const directory = join(root, 'node_modules/.cache/edge-auth-snippets');
mkdirSync(directory, { recursive: true });

/** The text of a snippet of a document: the block after `<!-- snippet NAME -->`. */
export function snippet(path: string, name: string): string {
  const document = readFileSync(join(root, path), 'utf8');
  const [, text] = document.split(`<!-- snippet ${name} -->\n`)[1]?.match(/^```\w+\n([\s\S]*?)^```$/m) ?? [];
  if (text === undefined) throw new Error(`${path} has no snippet ${name}`);
  return text;
}

/** Writes a program to where Node finds the packages of the project. @returns its path */
export function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

/** What runs a snippet. Debian's packages belong to Debian's Python, whatever another one is first on the PATH. */
const python = ['/usr/bin/python3', 'python3'].find(
  (command) => spawnSync(command, ['-c', 'import jwt, cryptography']).status === 0,
);
const nginx = ['/usr/sbin/nginx', 'nginx'].find((command) => spawnSync(command, ['-v']).status === 0);

export interface Addresses {
  readonly issuer: string;
  readonly port: number;
  /** Of the service behind the proxy. */
  readonly upstreamPort: number;
}

/** The command and variables that run each snippet of `verifying-tokens.md`; undefined where its runtime is missing. */
export function commandOf(name: string, { issuer, port, upstreamPort }: Addresses): string[] | undefined {
  const text = snippet('docs/verifying-tokens.md', name);
  if (name.endsWith('.mjs')) return [process.execPath, write(name, text)];
  if (name.endsWith('.py')) return python === undefined ? undefined : [python, write(name, text)];
  if (nginx === undefined) return undefined;
  const { port: servicePort } = new URL(issuer);
  const ports = new Map([
    ['4000', String(port)],
    ['4001', String(upstreamPort)],
    ['8787', servicePort],
  ]);
  const here = text.replace(/127\.0\.0\.1:(\d+)/g, (_, old) => `127.0.0.1:${ports.get(old)}`);
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path tmp-${kind};`);
  const whole = `daemon off; master_process off; pid nginx.pid; error_log stderr;
events {}
http { access_log off; ${places.join(' ')}
${here} }
`;
  return [nginx, '-p', directory, '-e', 'stderr', '-c', write(name, whole)];
}

/** Starts a command, and waits until its port answers. */
export async function startCommand(
  [command = '', ...args]: readonly string[],
  port: number,
  variables: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const env = { PATH: process.env['PATH'], PORT: String(port), ...variables };
  const child = spawn(command, args, { env, cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  for (let tries = 0; tries < 300 && child.exitCode === null; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer !== undefined) return child;
    await sleep(100);
  }
  await endChild(child);
  throw new Error(`${command} does not listen: ${said}`);
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
