import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** A release cannot be made. The message says why. */
export class ReleaseError extends Error {}

const heading = '## Unreleased\n';

/**
 * The changelog with everything under "Unreleased" moved below a heading of its own.
 * @param version as `1.2.3`
 * @param day as `2026-11-26`
 * @throws {ReleaseError} if nothing is listed under "Unreleased"
 */
export function releaseChangelog(changelog: string, version: string, day: string): string {
  const [before, after] = changelog.split(heading, 2);
  if (before === undefined || after === undefined) throw new ReleaseError('CHANGELOG.md has no heading "Unreleased"');
  const [changes = ''] = after.split(/^## /m);
  if (!/^- /m.test(changes)) throw new ReleaseError('CHANGELOG.md lists nothing under "Unreleased"');
  return `${before}${heading}\n## ${version} (${day})\n${after}`;
}

/**
 * Whether `version` follows `current`: the next patch, the next minor or the next major version.
 * @param version as `1.2.3`
 */
export function follows(version: string, current: string): boolean {
  const [major = 0, minor = 0, patch = 0] = current.split('.').map(Number);
  return [`${major}.${minor}.${patch + 1}`, `${major}.${minor + 1}.0`, `${major + 1}.0.0`].includes(version);
}

/**
 * Makes a release in the checkout at `root`: writes the version into package.json, its lock file, the chart and the
 * manifests, moves the changelog, commits, and tags the commit. Pushes nothing.
 * @param day as `2026-11-26`
 * @throws {ReleaseError} if the checkout has changes, or the version does not follow the current one
 */
export function release(root: string, version: string, day: string): void {
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: root, encoding: 'utf8' });
  const edit = (file: string, change: (text: string) => string) => {
    const path = join(root, file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  };

  if (run('git', 'status', '--porcelain') !== '') throw new ReleaseError('The checkout has uncommitted changes');
  const current = /"version": "([^"]+)"/.exec(readFileSync(join(root, 'package.json'), 'utf8'))?.[1] ?? '';
  if (!follows(version, current)) throw new ReleaseError(`${version} does not follow ${current}`);
  const changelog = releaseChangelog(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version, day);

  writeFileSync(join(root, 'CHANGELOG.md'), changelog);
  run('npm', 'version', version, '--no-git-tag-version', '--ignore-scripts');
  edit('deploy/helm/edge-auth/Chart.yaml', (text) => text.replaceAll(/^(version|appVersion): .*$/gm, `$1: ${version}`));
  run('npm', 'run', '--silent', 'manifests');
  run('git', 'commit', '--quiet', '--all', '--message', `chore: release ${version}`);
  run('git', 'tag', '--annotate', '--message', `Release ${version}`, `v${version}`);
}

if (import.meta.main) {
  const version = parseArgs({ allowPositionals: true }).positionals[0] ?? '';
  try {
    release(join(import.meta.dirname, '..'), version, new Date().toISOString().slice(0, 10));
    console.log(`Released ${version}. Run the checks (.ci/run), then push it: git push --follow-tags`);
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    console.error(`${error.message}. Usage: npm run release -- VERSION`);
    process.exitCode = 1;
  }
}
