import type pg from 'pg';
import * as z from 'zod';
import { createApp } from '../../src/app.ts';
import { openDeps } from '../../src/cli/deps.ts';
import { createPostgres } from '../../src/platform/postgres.ts';
import type { Statement } from '../../test/db/explain.ts';

const issuer = 'http://localhost:3000';
const tokens = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  user: z.object({ id: z.string() }).optional(),
});
const listed = z.object({ items: z.array(z.object({ id: z.string() })), next_cursor: z.string().nullable() });

interface Page {
  readonly ids: readonly string[];
  readonly next: string | undefined;
  /** The last statement that was sent for it. */
  readonly statement: Statement;
}

export interface AdminApi {
  read(path: string, limit: number, cursor: string | undefined): Promise<Page>;
  close(): Promise<void>;
}

/** The application in this process, asked by an admin. */
export async function startAdminApi(databaseUrl: string, client: pg.Client): Promise<AdminApi> {
  const { deps, close: closeUnused } = await openDeps(
    {
      ENVIRONMENT: 'dev',
      AUTH_SECRET: `pages-${crypto.randomUUID()}`,
      ISSUER: issuer,
      DATABASE_URL: databaseUrl,
      LIMIT_READ_USER: '1000000/60',
    },
    false,
  );
  await closeUnused();
  let statement: Statement | undefined;
  const logger = {
    logQuery(sql: string, params: unknown[]) {
      // After the answer, a row of the audit log says who looked.
      if (!/^\s*insert into "?audit_log/i.test(sql)) statement = { sql, params };
    },
  };
  const { db, close } = createPostgres({ url: databaseUrl, poolSize: 2, logger });
  const app = createApp({ ...deps, db });
  const later: Promise<unknown>[] = [];
  const context = {
    waitUntil: (work: Promise<unknown>) => void later.push(work),
    passThroughOnException: () => undefined,
    props: {},
  };
  async function ask(path: string, init: RequestInit): Promise<unknown> {
    const answer = await app.fetch(new Request(`${issuer}${path}`, init), { clientAddress: '127.0.0.1' }, context);
    await Promise.all(later.splice(0));
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  }
  const post = async (path: string, body: object) => {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    return tokens.parse(await ask(path, init));
  };
  const registered = await post('/auth/register', { username: 'overseer', password: 'correct horse battery staple' });
  await client.query("update users set roles = '{admin,user}' where id = $1", [registered.user?.id]);
  const { access_token: token } = await post('/auth/refresh', { refresh_token: registered.refresh_token });

  return {
    async read(path, limit, cursor) {
      const after = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const answer = await ask(`${path}&limit=${limit}${after}`, { headers: { Authorization: `Bearer ${token}` } });
      const { items, next_cursor: next } = listed.parse(answer);
      if (statement === undefined) throw new Error('No statement was sent');
      return { ids: items.map(({ id }) => id), next: next ?? undefined, statement };
    },
    close,
  };
}
