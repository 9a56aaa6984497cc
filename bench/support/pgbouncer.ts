import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../dev/ports.ts';

export interface Pooler {
  /** Of the same database as before, through the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Debian's PgBouncer in transaction mode, with its default settings, in front of a Postgres. */
export async function startPgBouncer(postgresUrl: string): Promise<Pooler> {
  const { hostname, port, username, password } = new URL(postgresUrl);
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-pgbouncer-'));
  chmodSync(directory, 0o755);
  const listen = await freePort();
  const [users, config] = [join(directory, 'userlist.txt'), join(directory, 'pgbouncer.ini')];
  writeFileSync(users, `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`);
  writeFileSync(
    config,
    [
      '[databases]',
      `* = host=${hostname} port=${port}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${listen}`,
      'unix_socket_dir =',
      `auth_file = ${users}`,
      'pool_mode = transaction',
    ].join('\n'),
  );
  // It does not run as root.
  const account = process.getuid?.() === 0 ? { uid: Number(execFileSync('id', ['-u', 'nobody'])) } : {};
  const binary = ['/usr/sbin/pgbouncer', config];
  const child = spawn(binary[0] ?? '', binary.slice(1), { ...account, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async () => {
    // At once, without waiting for clients.
    child.kill('SIGTERM');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  const url = Object.assign(new URL(postgresUrl), { hostname: '127.0.0.1', port: String(listen) }).href;
  for (let tries = 0; ; tries += 1) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return { url, stop };
    } catch (error) {
      if (tries > 250 || child.exitCode !== null) {
        await stop();
        throw new Error(`PgBouncer does not serve: ${output}`, { cause: error });
      }
      await sleep(20);
    }
  }
}
