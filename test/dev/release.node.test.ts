// On Node only: it runs git and npm.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { follows, release, releaseChangelog } from '../../dev/release.ts';

const day = '2026-11-26';

/** A checkout with the files that carry a version. */
function checkout() {
  const root = mkdtempSync(join(tmpdir(), 'edge-auth-release-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const scripts = { manifests: 'cp deploy/helm/edge-auth/Chart.yaml manifest.yaml' };
  write('package.json', `${JSON.stringify({ name: 'a', version: '0.1.0', scripts }, null, 2)}\n`);
  write('package-lock.json', JSON.stringify({ name: 'a', version: '0.1.0', lockfileVersion: 3, packages: {} }));
  write('deploy/helm/edge-auth/Chart.yaml', 'name: a\nversion: 0.1.0\nappVersion: 0.1.0\n');
  write('manifest.yaml', 'version: 0.1.0\n');
  write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n- A change.\n');
  git('init', '--quiet');
  git('config', 'user.name', 'A');
  git('config', 'user.email', 'a@example.com');
  git('add', '.');
  git('commit', '--quiet', '--message', 'feat: begin');
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  return { root, write, read, git };
}

describe('a release', () => {
  it('writes its version everywhere, commits and tags', () => {
    const { root, read, git } = checkout();
    release(root, '0.2.0', day);
    for (const file of ['package.json', 'package-lock.json']) expect(JSON.parse(read(file)).version).toBe('0.2.0');
    expect(read('manifest.yaml')).toBe('name: a\nversion: 0.2.0\nappVersion: 0.2.0\n');
    expect(read('CHANGELOG.md')).toContain(`## Unreleased\n\n## 0.2.0 (${day})\n\n- A change.\n`);
    expect(git('log', '-1', '--format=%s')).toBe('chore: release 0.2.0');
    expect(git('describe')).toBe('v0.2.0');
    expect(git('status', '--porcelain')).toBe('');
  });

  it('is refused where the checkout has changes', () => {
    const { root, write } = checkout();
    write('note', '');
    expect(() => release(root, '0.2.0', day)).toThrow('uncommitted changes');
  });

  it('is refused where nothing changed since the last one', () => {
    const { root, read } = checkout();
    release(root, '0.2.0', day);
    expect(() => release(root, '0.2.1', day)).toThrow('lists nothing');
    expect(JSON.parse(read('package.json')).version).toBe('0.2.0');
  });
});

it('leaves the changes of earlier versions where they are', () => {
  const changelog = '# Changelog\n\n## Unreleased\n\n- New.\n\n## 0.1.0 (2026-01-01)\n\n- Old.\n';
  expect(releaseChangelog(changelog, '0.2.0', day)).toBe(
    `# Changelog\n\n## Unreleased\n\n## 0.2.0 (${day})\n\n- New.\n\n## 0.1.0 (2026-01-01)\n\n- Old.\n`,
  );
  expect(() => releaseChangelog('# Changelog\n', '0.2.0', day)).toThrow('no heading');
});

it.each([
  ['0.1.1', true],
  ['0.2.0', true],
  ['1.0.0', true],
  ['0.1.0', false],
  ['0.1.2', false],
  ['0.2.1', false],
  ['0.0.9', false],
  ['v0.2.0', false],
  ['', false],
])('says of %j that it follows 0.1.0: %s', (version, expected) => {
  expect(follows(version, '0.1.0')).toBe(expected);
});
