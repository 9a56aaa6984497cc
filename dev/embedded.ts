import { rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { startMailbox } from './mailbox.ts';
import { readSecrets } from './secrets.ts';
import { formatVariables } from './variables.ts';

const root = dirname(import.meta.dirname);

export interface Embedded {
  /** The environment, with what was missing. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Resolves when the embedded database ended by itself. */
  readonly failed: Promise<string>;
  stop(): Promise<void>;
}

/**
 * What `npm start` runs on where nothing is configured: an embedded Postgres with its data in `.data/`, a mailbox, and
 * a secret made on first use. What the environment does set, it keeps.
 */
export async function startEmbedded(environment: Readonly<Record<string, string | undefined>>): Promise<Embedded> {
  const port = Number(environment['PORT'] ?? '') || 3000;
  const secrets = (environment['AUTH_SECRET'] ?? '') === '' ? await readSecrets(join(root, '.dev.vars')) : {};
  const data = resolve(root, environment['DATA_DIR'] || '.data');
  const postgres = await startEmbeddedPostgres({
    directory: join(data, 'postgres'),
    log: console.error,
  });
  const mailbox = await startMailbox(port + 1).catch(async (error) => {
    await postgres.stop();
    throw error;
  });
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  const variables: Record<string, string | undefined> = {
    ENVIRONMENT: 'dev',
    ISSUER: `http://localhost:${port}`,
    HOST: '127.0.0.1',
    PORT: String(port),
    MAILBOX_URL: mailbox.url,
    ...secrets,
    ...Object.fromEntries(given),
    DATABASE_URL: postgres.url,
  };
  // For commands that run beside it, as `npm run dev` has it.
  const file = join(data, 'variables.env');
  await rm(file, { force: true });
  await writeFile(file, formatVariables(pick(variables)), { mode: 0o600 });
  console.log(`mailbox: ${mailbox.url}`);
  return {
    variables,
    failed: postgres.ended,
    async stop() {
      await rm(file, { force: true });
      await mailbox.stop();
      await postgres.stop();
    },
  };
}

/** What a command needs to work on the same accounts. */
const pick = (variables: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(
    ['ENVIRONMENT', 'ISSUER', 'AUTH_SECRET', 'DATABASE_URL', 'MAILBOX_URL'].flatMap((name) => {
      const value = variables[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
