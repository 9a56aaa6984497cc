/**
 * `npm run check:imports`: whole exports of other systems are carried over by the command, and everybody who can signs in
 * at the service on Node with the password they had. The hashes in `test/cli/exports` are made by the libraries of their
 * systems; a Keycloak realm beside the repository is taken too, where it is there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../dev/ports.ts';
import { type ExportCase, exportCases, keycloakSignIns, place } from '../test/cli/exports/cases.ts';
import { send } from './support/client.ts';
import { startOwnPostgres } from './support/own-postgres.ts';
import { expect } from './support/report.ts';
import { benchSecret, startService, unlimited } from './support/service.ts';

type Source = Pick<ExportCase, 'system' | 'file' | 'options' | 'signIns'>;

const realm = join(import.meta.dirname, '../../shared/imports/keycloak-26-realm.json');
const keycloak = { system: 'keycloak', signIns: keycloakSignIns };
const sources: readonly Source[] = [
  ...exportCases.map((each) => ({ ...each, file: place(each.file) })),
  // Both hold the same people: the second time they are here already, with hashes of the present kind.
  { ...keycloak, file: place('keycloak.json') },
  ...(existsSync(realm) ? [{ ...keycloak, file: realm }] : []),
];

const postgres = await startOwnPostgres();
try {
  const service = await startService(await freePort(), { ...unlimited, DATABASE_URL: postgres.url, LOG_LEVEL: 'warn' });
  try {
    for (const { system, file, options = [], signIns } of sources) {
      const cli = join(import.meta.dirname, '../src/cli/main.ts');
      const env = { PATH: process.env['PATH'], AUTH_SECRET: benchSecret, DATABASE_URL: postgres.url };
      const args = [cli, 'import', '--from', system, ...options, file];
      const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
      console.log(`${system}: ${stdout.trim()}`);
      if (stderr !== '') console.log(stderr.trim().replaceAll(/^/gm, '  '));
      const statuses: [string, number][] = [];
      const begun = performance.now();
      for (const [identifier, password] of signIns) {
        const { status } = await send(service.base, 'POST', '/auth/login', { body: { identifier, password } });
        statuses.push([identifier, status]);
      }
      const took = Math.round((performance.now() - begun) / signIns.length);
      const wanted = signIns.map(([identifier, , status]) => [identifier, status]);
      expect(`${system}: who signs in with the old password, in ${took} ms each`, statuses, wanted);
    }
  } finally {
    await service.stop();
  }
} finally {
  await postgres.remove();
}
