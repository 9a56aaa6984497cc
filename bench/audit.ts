/**
 * `npm run check:audit`: what is known of the packages that are installed. The lock file has to name a hash for each, and
 * of those that a running service needs, a licence that lets anybody use them and no warning that they are abandoned. Then
 * npm asks its registry for advisories: one of a package that the service needs fails, and any that is high or critical. A
 * registry that cannot be asked is told, and does not fail.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { expect } from './support/report.ts';

const root = join(import.meta.dirname, '..');
const licences = /^(?:MIT|MIT-0|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|Unlicense|MIT OR Apache-2\.0)$/;

const lockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      integrity: z.string().optional(),
      license: z.string().optional(),
      deprecated: z.string().optional(),
      dev: z.boolean().optional(),
      inBundle: z.boolean().optional(),
    }),
  ),
});
const report = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({ severity: z.enum(['info', 'low', 'moderate', 'high', 'critical']), range: z.string() }),
  ),
});

const { '': _, ...packages } = lockFile.parse(
  JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')),
).packages;
const all = Object.entries(packages);
const needed = all.filter(([, { dev = false }]) => !dev);
const namesOf = (entries: typeof all) => entries.map(([path]) => path);
console.log(`${all.length} packages, ${needed.length} of which a running service needs`);
const withoutHash = all.filter(([, { integrity, inBundle }]) => inBundle !== true && !integrity?.startsWith('sha512-'));
expect('packages without a hash', namesOf(withoutHash), []);
const restricted = needed.filter(([, { license }]) => !licences.test(license ?? ''));
expect('needed packages of another licence', namesOf(restricted), []);
expect('needed packages that are abandoned', namesOf(needed.filter(([, each]) => each.deprecated !== undefined)), []);

/** The advisories for the packages; undefined where the registry tells none. */
function advisories(...options: readonly string[]): z.output<typeof report>['vulnerabilities'] | undefined {
  const { stdout } = spawnSync('npm', ['audit', '--json', ...options], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  try {
    return report.parse(JSON.parse(stdout)).vulnerabilities;
  } catch {
    return undefined;
  }
}

const ofNeeded = advisories('--omit=dev');
const ofAll = ofNeeded && advisories();
if (ofNeeded === undefined || ofAll === undefined) {
  console.log('not asked: this registry tells no advisories');
} else {
  const grave = Object.entries(ofAll).filter(([, { severity }]) => severity === 'high' || severity === 'critical');
  expect('advisories for needed packages', Object.entries(ofNeeded), []);
  expect('grave advisories for any package', grave, []);
}
