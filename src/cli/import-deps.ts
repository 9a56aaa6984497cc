import type { ImportDeps } from '../accounts/import.ts';
import { InvalidConfiguration } from '../config.ts';
import { findProblems } from '../config-check.ts';
import { eventVariables, toEventSinks } from '../config-events.ts';
import { variablesSet, withOlderNames } from '../config-legacy.ts';
import { secretRules } from '../config-rules.ts';
import { databaseTransport, neonTransport } from '../config-transport.ts';
import { variables } from '../config-variables.ts';
import { createKeyring } from '../crypto/derive.ts';
import { uuidv7 } from '../crypto/random.ts';
import { createNeon } from '../platform/neon.ts';
import { createPostgres } from '../platform/postgres.ts';

const needed = variables.pick({
  ENVIRONMENT: true,
  AUTH_SECRET: true,
  AUTH_SECRET_PREVIOUS: true,
  ALLOW_PLAINTEXT: true,
  DATABASE_URL: true,
  NEON_HTTP_ENDPOINT: true,
  EVENTS_PERSONAL_DATA: true,
  LEGACY_PEPPERS: true,
  ...eventVariables,
});

type Opened = ImportDeps & { readonly legacyPeppers: ReadonlyMap<string, string>; close(): Promise<void> };

/**
 * What a command works with: the secrets and the database of the service, by older names too. With
 * `NEON_HTTP_ENDPOINT` statements go there, else over TCP, which Neon's own databases take too.
 * @throws {ConfigError} naming every wrong variable, without a value
 */
export async function openImportDeps(environment: Readonly<Record<string, string | undefined>>): Promise<Opened> {
  const older = withOlderNames(variablesSet(environment));
  const isHttp = older.set['NEON_HTTP_ENDPOINT'] !== undefined;
  const read = needed.safeParse(older.set);
  const rules = [...secretRules, isHttp ? neonTransport : databaseTransport];
  const wrong = findProblems(older, [read], (others) => needed.partial().parse(others), rules);
  if (wrong.length > 0 || read.data === undefined) throw new InvalidConfiguration(wrong);
  const { data } = read;
  const { DATABASE_URL: url, NEON_HTTP_ENDPOINT: endpoint } = data;
  const keyring = await createKeyring([data.AUTH_SECRET, ...data.AUTH_SECRET_PREVIOUS]);
  const now = () => Date.now();
  const newId = () => uuidv7(now());
  const config = { eventSinks: toEventSinks(data), eventsPersonalData: data.EVENTS_PERSONAL_DATA };
  const deps = { config, keyring, now, newId, legacyPeppers: data.LEGACY_PEPPERS };
  if (endpoint !== undefined) return { ...deps, db: createNeon({ url, endpoint }), close: async () => undefined };
  return { ...deps, ...createPostgres({ url, poolSize: 1 }) };
}
