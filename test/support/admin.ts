import { sql } from 'drizzle-orm';
import { registerUser, type TestApp } from './test-app.ts';

export type Person = Awaited<ReturnType<typeof registerUser>>;

/** Gives roles as an operator with access to the database could. Tokens from before do not name them. */
export async function giveRoles({ deps }: Pick<TestApp, 'deps'>, id: string, roles: readonly string[]): Promise<void> {
  await deps.db.execute(sql`update users set roles = ${sql.param([...roles])}::text[] where id = ${id}::uuid`);
}

/** Somebody with these roles, whose access token names them. */
export async function registerWith(app: TestApp, roles: readonly string[]): Promise<Person> {
  const person = await registerUser(app);
  await giveRoles(app, person.id, roles);
  const { body } = await app.request('POST', '/auth/refresh', { body: { refresh_token: person.refresh } });
  return { ...person, access: body.access_token, refresh: body.refresh_token };
}

export const registerAdmin = (app: TestApp): Promise<Person> => registerWith(app, ['admin', 'user']);

/** A role of the test's own. */
export async function makeRole({ deps }: Pick<TestApp, 'deps'>, name: string, permissions: readonly string[]) {
  await deps.db.execute(sql`insert into roles values (${name}, ${sql.param([...permissions])}::text[])`);
}
