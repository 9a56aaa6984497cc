/**
 * `npm run check:backup`: as docs/backups.md tells. A service runs, its database is dumped by deploy/backup.sh while requests come, the dump
 * is decrypted and restored into an empty database, and a service starts on it: old sessions go on, old access tokens verify, and
 * what was enqueued and not delivered is still enqueued. With a PostgreSQL of Debian, whose `pg_dump` fits.
 */
import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { startGuarded } from '../dev/guarded.ts';
import { freePort } from '../dev/ports.ts';
import { password, send, tokens } from './support/client.ts';
import { assert } from './support/report.ts';
import { startService, unlimited } from './support/service.ts';
import { startLoad } from './support/start-load.ts';

const base = '/usr/lib/postgresql';
const version = existsSync(base) ? readdirSync(base).toSorted((a, b) => Number(b) - Number(a))[0] : undefined;
if (version === undefined) throw new Error('There is no PostgreSQL of Debian: apt-get install postgresql');
const binary = (name: string) => join(base, version, 'bin', name);
const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres']).toString());
/** Postgres does not run as root. */
const account = process.getuid?.() === 0 ? { uid: id('-u'), gid: id('-g') } : undefined;
const run = async (name: string, args: readonly string[]) =>
  await promisify(execFile)(binary(name), args, { ...account, cwd: '/', env: { PATH: process.env['PATH'] } });

const root = join(import.meta.dirname, '..');
const ends: (() => unknown)[] = [];

/** The commands that deploy/backup.sh tells at its end, with other names of files. */
async function documented(command: string, names: Readonly<Record<string, string>>): Promise<void> {
  const lines = readFileSync(join(root, 'deploy/backup.sh'), 'utf8').matchAll(/^# {3}\$ (.*)$/gm);
  const line = [...lines].map(([, text = '']) => text).find((text) => text.startsWith(command));
  assert(line !== undefined, `deploy/backup.sh says how to use ${command}`);
  const run = Object.entries(names).reduce((text, [from, to]) => text.replaceAll(from, to), line);
  await promisify(execFile)('sh', ['-ec', run]);
}

/** A cluster of its own, on a port of its own. */
async function startCluster(): Promise<(database: string) => string> {
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-backup-'));
  ends.push(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o700);
  if (account !== undefined) chownSync(directory, account.uid, account.gid);
  const data = join(directory, 'data');
  await run('initdb', ['-D', data, '-U', 'edge_auth', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']);
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories='];
  const server = await startGuarded(
    {
      command: binary('postgres'),
      args: ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
      cwd: '/',
      account,
      stop: [{ signal: 'SIGINT', grace: 5000 }],
    },
    { PATH: process.env['PATH'], LC_ALL: 'C' },
    () => undefined,
  );
  ends.push(server.stop);
  const url = (database: string) => `postgres://edge_auth@127.0.0.1:${port}/${database}`;
  for (let tries = 0; ; tries += 1) {
    try {
      await sql(url('postgres'), 'select 1');
      return url;
    } catch (error) {
      if (tries > 500) throw error;
      await sleep(20);
    }
  }
}

async function sql(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

async function check(): Promise<void> {
  const url = await startCluster();
  await sql(url('postgres'), 'create database live');
  await sql(url('postgres'), 'create database restored');
  // Nothing takes mails, so that some are enqueued when the dump is made.
  const variables = { ...unlimited, LOG_LEVEL: 'error' };
  const live = await startService(await freePort(), { ...variables, DATABASE_URL: url('live') });
  ends.push(live.stop);
  const registered = await send(live.base, 'POST', '/auth/register', { body: { email: 'ann@example.com', password } });
  const first = tokens.parse(registered.answer);
  const load = startLoad(live.base, 60, 4, 20);
  await load.loading;
  await sleep(500);

  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-dump-'));
  ends.push(() => rmSync(directory, { recursive: true, force: true }));
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  await documented('openssl req', { 'backup_key.pem': key, 'deploy/secrets/backup_certificate.pem': certificate });
  const outdated = join(directory, 'edge-auth-20200101T000000Z.dump.cms');
  writeFileSync(outdated, '');
  utimesSync(outdated, 0, 0);
  const { stdout: said } = await promisify(execFile)(join(root, 'deploy/backup.sh'), [], {
    env: {
      PATH: `${join(base, version ?? '', 'bin')}:${process.env['PATH']}`,
      DATABASE_URL: url('live'),
      BACKUP_CERTIFICATE: certificate,
      BACKUP_DIRECTORY: directory,
    },
  });
  console.log(said.trim());
  const [name = '', ...more] = readdirSync(directory).filter((each) => each.endsWith('.cms'));
  assert(more.length === 0 && said.includes(outdated), 'a dump was written under load, and one that is old deleted');
  const sealed = join(directory, name);
  const file = join(directory, 'edge-auth.dump');
  const names = { 'backup_key.pem': key, 'deploy/secrets/backup_certificate.pem': certificate };
  await documented('openssl cms', { ...names, 'backups/edge-auth-….dump.cms': sealed, 'edge-auth.dump': file });
  const bytes = readFileSync(sealed);
  assert(!bytes.includes('PGDMP') && readFileSync(file).subarray(0, 5).toString() === 'PGDMP', 'it is encrypted');
  bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
  writeFileSync(join(directory, 'changed'), bytes);
  const changed = { ...names, 'backups/edge-auth-….dump.cms': join(directory, 'changed') };
  const opened = documented('openssl cms', { ...changed, 'edge-auth.dump': join(directory, 'none') });
  assert(
    await opened.then(
      () => false,
      () => true,
    ),
    'a dump that somebody changed does not open',
  );
  load.stop();
  const sent = await load.done;
  assert(
    sent.every(({ status }) => status === 200 || status === 201),
    `${sent.length} requests meanwhile, none failed`,
  );

  // The session goes on after the dump: its token is newer than what will be restored.
  const refresh = async (base: string, token: string) =>
    await send(base, 'POST', '/auth/refresh', { body: { refresh_token: token } });
  const later = tokens.parse((await refresh(live.base, first.refresh_token)).answer);
  await live.stop();
  await promisify(execFile)(
    binary('pg_restore'),
    ['--exit-on-error', '--no-owner', '--single-transaction', `--dbname=${url('restored')}`, file],
    { env: { PATH: process.env['PATH'] } },
  );
  const count = 'select (select count(*) from users)::int as users, (select count(*) from outbox)::int as enqueued';
  const [there] = await sql(url('restored'), count);
  console.log(`restored: ${JSON.stringify(there)}`);
  assert(Number(there?.['users']) >= 5 && Number(there?.['enqueued']) >= 5, 'users and what was enqueued to them');

  const restored = await startService(await freePort(), { ...variables, DATABASE_URL: url('restored') });
  ends.push(restored.stop);
  const verified = await send(restored.base, 'GET', '/auth/verify-token', { bearer: first.access_token });
  assert(verified.status === 200, 'an old access token verifies');
  const refreshed = await refresh(restored.base, later.refresh_token);
  assert(refreshed.status === 200, 'an old session refreshes, with a token newer than the dump');
  const again = { body: { identifier: 'ann@example.com', password } };
  assert((await send(restored.base, 'POST', '/auth/login', again)).status === 200, 'its owner signs in');
  const newest = tokens.parse(refreshed.answer);
  const me = await send(restored.base, 'GET', '/users/me', { bearer: newest.access_token });
  assert(JSON.stringify(me.answer).includes('ann@example.com'), 'sealed data opens');
  await sql(url('restored'), 'update users set session_epoch = session_epoch + 1');
  const over = await refresh(restored.base, newest.refresh_token);
  assert(over.status === 401, 'all sessions end where the operator says so');
}

try {
  await check();
} finally {
  for (const end of ends.toReversed()) await end();
}
