import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { portTaken } from '../../dev/ports.ts';

/** An nginx as many people write it: kept connections to the service, large bodies let through, answers packed. */
const configuration = (directory: string, upstream: number, [port, streaming]: readonly [number, number]) => `
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  client_max_body_size 20m;
  gzip on;
  gzip_types application/json;
  gzip_min_length 0;
  upstream auth { server 127.0.0.1:${upstream} max_fails=0; keepalive 32; }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header X-Forwarded-For $remote_addr;
  # Another try would hide what is looked for.
  proxy_next_upstream off;
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://auth; } }
  server { listen 127.0.0.1:${streaming}; location / { proxy_pass http://auth; proxy_request_buffering off; } }
}
`;

/** Starts it in front of the service: on the first port it reads bodies before it asks, on the second it hands them on. */
export async function startKeepAliveNginx(
  upstream: number,
  ports: readonly [number, number],
): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-nginx-'));
  chmodSync(directory, 0o755);
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, configuration(directory, upstream, ports));
  const nginx = spawn('nginx', ['-c', file, '-g', 'daemon off;'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  let output = '';
  nginx.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  const exited = new Promise<void>((resolve) => nginx.once('close', () => resolve()));
  const stop = async () => {
    nginx.kill('SIGTERM');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  for (let tries = 0; !(await portTaken(ports[1])); tries += 1) {
    if (tries > 200 || nginx.exitCode !== null) {
      await stop();
      throw new Error(`nginx did not start: ${output}`);
    }
    await sleep(50);
  }
  return stop;
}
