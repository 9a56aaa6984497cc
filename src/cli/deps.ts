import { readConfig } from '../config.ts';
import { databaseTransport } from '../config-transport.ts';
import { createKeyring } from '../crypto/derive.ts';
import { createPasswordHasher } from '../crypto/password-hash.ts';
import { uuidv7 } from '../crypto/random.ts';
import type { Deps } from '../deps.ts';
import { createLog } from '../ops/log.ts';
import { createBreachedPasswords } from '../platform/breached-passwords.ts';
import { createNodeHashing } from '../platform/hashing-node.ts';
import { createMemoryKeyValue } from '../platform/memory.ts';
import { createNeon } from '../platform/neon.ts';
import { createPostgres } from '../platform/postgres.ts';
import { refuseWrongSecret } from '../tokens/secret-guard.ts';

const now = () => Date.now();

/**
 * What a command works with: the variables of the service, and its database over TCP, or over HTTP where that is asked for
 * or `NEON_HTTP_ENDPOINT` is set. Mails wait in the outbox for the service.
 * @throws {ConfigError} also where the database belongs to a service with another secret
 */
export async function openDeps(
  environment: Readonly<Record<string, string | undefined>>,
  overHttp: boolean,
): Promise<{ deps: Deps; close(): Promise<void> }> {
  const isHttp = overHttp || (environment['NEON_HTTP_ENDPOINT'] ?? '') !== '';
  const config = readConfig(environment, isHttp ? [] : [databaseTransport]);
  const keyring = await createKeyring(config.secrets, config.previousSecretsUntil);
  const { db, close } = isHttp
    ? { db: createNeon({ url: config.database.url, endpoint: config.neonEndpoint }), close: async () => undefined }
    : createPostgres({ ...config.database, poolSize: 1 });
  const memory = createMemoryKeyValue({ now });
  const deps: Deps = {
    config,
    db,
    keyring,
    now,
    steady: () => performance.now(),
    newId: () => uuidv7(now()),
    kv: memory,
    fallback: memory,
    mailer: undefined,
    // Events wait in the outbox for the service too.
    sinks: [],
    assets: async () => undefined,
    traceExporter: undefined,
    log: createLog('silent', now),
    isBreached: createBreachedPasswords(config.breachedPasswordUrl),
    hasher: createPasswordHasher({
      hashing: createNodeHashing(),
      legacyPeppers: config.legacyPeppers,
      peppers: keyring.all.map(({ id, pepper }) => ({ id, key: pepper })),
      keyring,
      parameters: { ...config.argon2, parallelism: 1 },
    }),
  };
  try {
    await refuseWrongSecret(deps);
  } catch (error) {
    await close();
    throw error;
  }
  return { deps, close };
}
