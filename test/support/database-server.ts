import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import pg from 'pg';
import { migrate } from '../../src/platform/postgres-migrations.ts';

export interface DatabaseServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Gives each test file databases of its own, also those that run in workerd and cannot make one: `POST /` answers with
 * the address of a new, migrated database, `POST /?empty` with one that has no tables.
 * @param adminUrl of a role that may create databases
 */
export async function startDatabaseServer(adminUrl: string): Promise<DatabaseServer> {
  const run = randomBytes(4).toString('hex');
  const named = (name: string) => Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  const admin = new pg.Pool({ connectionString: adminUrl, max: 1 });
  // Postgres ends its connections when it stops, which is no failure of a test.
  admin.on('error', () => undefined);
  const template = `edge_auth_test_${run}_template`;
  const made = [template];
  await admin.query(`create database ${template}`);
  await migrate(named(template));

  const server = createServer(async (request, response) => {
    const name = `edge_auth_test_${run}_${made.length}`;
    made.push(name);
    try {
      await admin.query(`create database ${name}${request.url === '/?empty' ? '' : ` template ${template}`}`);
      response.end(named(name));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      for (const name of made) await admin.query(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}
