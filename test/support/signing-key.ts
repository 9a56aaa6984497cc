import pg from 'pg';
import { readConfig } from '../../src/config.ts';
import { createKeyring } from '../../src/crypto/derive.ts';
import { createLog } from '../../src/ops/log.ts';
import { createPostgres } from '../../src/platform/postgres.ts';
import { createSigningKeys } from '../../src/tokens/signing-keys.ts';
import { testSecret } from './secret.ts';

/**
 * Lets the service make its first signing key in a migrated database.
 * @returns the statement that writes the same key into another one
 */
export async function prepareSigningKey(url: string): Promise<string> {
  const config = readConfig({
    ENVIRONMENT: 'dev',
    AUTH_SECRET: testSecret,
    ISSUER: 'https://auth.test',
    DATABASE_URL: url,
  });
  const keyring = await createKeyring(config.secrets, config.previousSecretsUntil);
  const log = createLog('silent', Date.now);
  const { db, close } = createPostgres({ url, poolSize: 1 });
  await createSigningKeys({ config, db, keyring, log, now: Date.now }).signing();
  await close();

  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('select row_to_json(signing_keys)::text as key from signing_keys');
  await client.end();
  return `insert into signing_keys select * from json_populate_record(null::signing_keys, ${pg.escapeLiteral(rows[0].key)})`;
}
