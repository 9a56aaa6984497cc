import type { ImportDeps } from '../accounts/import.ts';
import { ConfigError } from '../config.ts';
import { eventVariables, toEventSinks } from '../config-events.ts';
import { variablesSet, withOlderNames } from '../config-legacy.ts';
import { variables } from '../config-variables.ts';
import { createKeyring } from '../crypto/derive.ts';
import { uuidv7 } from '../crypto/random.ts';
import { createNeon } from '../platform/neon.ts';
import { createPostgres } from '../platform/postgres.ts';
import { readSigningKeys } from '../tokens/store.ts';

const needed = variables.pick({
  AUTH_SECRET: true,
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
  const { set, required } = withOlderNames(variablesSet(environment));
  const { data, error } = needed.safeParse(set);
  if (error !== undefined) {
    const wrong = error.issues.map(
      ({ path: [name], message }) => `${String(name)}: ${set[String(name)] ? message : required(String(name))}`,
    );
    throw new ConfigError(`Invalid configuration. ${[...new Set(wrong)].join('. ')}`);
  }
  const { DATABASE_URL: url, NEON_HTTP_ENDPOINT: endpoint } = data;
  const keyring = await createKeyring(data.AUTH_SECRET);
  const now = () => Date.now();
  const newId = () => uuidv7(now());
  const config = { eventSinks: toEventSinks(data), eventsPersonalData: data.EVENTS_PERSONAL_DATA };
  const deps = { config, keyring, now, newId, legacyPeppers: data.LEGACY_PEPPERS };
  if (endpoint !== undefined) return { ...deps, db: createNeon({ url, endpoint }), close: async () => undefined };
  return { ...deps, ...createPostgres({ url, poolSize: 1 }) };
}

/**
 * Keeps users from being sealed under a secret that the service does not have: nobody could sign in or be read.
 * A database without signing keys has not served yet, and takes any.
 * @throws {ConfigError}
 */
export async function refuseOtherSecret({ db, keyring }: ImportDeps): Promise<void> {
  const ids = keyring.all.map(({ id }) => id);
  const keys = await readSigningKeys(db);
  if (keys.length === 0 || keys.some(({ privateSealed }) => ids.includes(privateSealed.split('.')[0] ?? ''))) return;
  throw new ConfigError('AUTH_SECRET: not the one of the service that this database belongs to');
}
