import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCertificate } from '../../test/support/certificate.ts';

export interface Proxy {
  readonly base: string;
  /** File of the certificate that clients have to trust. */
  readonly ca: string;
  /** Socket of the plain port, which redirects. */
  readonly plain: string;
  stop(): Promise<void>;
}

/**
 * nginx with the configuration of `deploy/`, in which nothing but names of hosts and files is another: in front of the
 * two ports, on a third.
 * @param isLimited whether one client is held to the rate of the configuration, or stands for many
 */
export async function startNginx(
  port: number,
  upstreams: readonly [number, number],
  isLimited = false,
): Promise<Proxy> {
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-nginx-'));
  chmodSync(directory, 0o755);
  const { cert, key } = createCertificate();
  const ca = join(directory, 'cert.pem');
  writeFileSync(ca, cert);
  writeFileSync(join(directory, 'key.pem'), key, { mode: 0o600 });
  const plain = join(directory, 'plain.sock');
  const text = [
    // Debian's nginx is older than `resolve` and `http2 on`, and there is no Docker to ask for names.
    ['resolver 127.0.0.11 valid=5s ipv6=off;', ''],
    ['auth:3000 resolve', `127.0.0.1:${upstreams[0]}`],
    ['auth-2:3000 resolve', `127.0.0.1:${upstreams[1]}`],
    ['listen 8080;', `listen unix:${plain};`],
    ['listen 8443 ssl;', `listen 127.0.0.1:${port} ssl http2;`],
    ['http2 on;', ''],
    ['rate=50r/s', isLimited ? 'rate=50r/s' : 'rate=100000r/s'],
    ['/run/secrets/tls_cert', ca],
    ['/run/secrets/tls_key', join(directory, 'key.pem')],
  ].reduce(
    (all, [from = '', to = '']) => {
      if (!all.includes(from)) throw new Error(`deploy/nginx/nginx.conf does not hold ${from}`);
      return all.replace(from, to);
    },
    readFileSync(join(import.meta.dirname, '../../deploy/nginx/nginx.conf'), 'utf8'),
  );
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, text);
  const nginx = spawn('nginx', ['-c', file, '-g', 'daemon off;'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  nginx.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  const exited = new Promise<void>((resolve) => nginx.once('close', () => resolve()));
  const stop = async () => {
    nginx.kill('SIGTERM');
    await exited;
    rmSync(directory, { recursive: true, force: true });
    // Which kinds of things it said, and how often.
    const said = new Map<string, number>();
    for (const [, kind = ''] of output.matchAll(/\] \d+#\d+: (?:\*\d+ )?([^,\n"]{0,100})/g)) {
      said.set(kind, (said.get(kind) ?? 0) + 1);
    }
    for (const [kind, times] of said) console.log(`nginx, ${times} times: ${kind}`);
  };
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (tries > 200 || nginx.exitCode !== null) {
      await stop();
      throw new Error('nginx did not start');
    }
    await sleep(50);
  }
  return { base: `https://localhost:${port}`, ca, plain, stop };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
