import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { query } from '../../src/db/database.ts';
import { type Person, registerAdmin } from '../support/admin.ts';
import { createClock, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const variables = { LIMIT_REGISTER_ADDRESS: '100000/60', LIMIT_WRITE_USER: '100000/60' };

/** Every way in which somebody ceases to be an active admin, or to be able to sign in as one. */
const ways: Readonly<Record<string, (app: TestApp, by: Person, who: Person) => ReturnType<TestApp['request']>>> = {
  demote: (app, by, { id }) =>
    app.request('PUT', `/admin/users/${id}/roles`, { token: by.access, body: { roles: ['user'] } }),
  disable: (app, by, { id }) => app.request('POST', `/admin/users/${id}/disable`, { token: by.access }),
  delete: (app, by, { id }) => app.request('DELETE', `/admin/users/${id}`, { token: by.access }),
  reset: (app, by, { id }) => app.request('POST', `/admin/users/${id}/force-password-reset`, { token: by.access }),
  leave: (app, _, { access }) => app.request('DELETE', '/users/delete-account', { token: access, body: { password } }),
};

async function admins({ deps }: TestApp): Promise<string[]> {
  const rows = await query(
    deps.db,
    z.object({ id: z.uuid() }),
    sql`select id from users where status = 'active' and roles @> '{admin}' and password_hash is not null`,
  );
  return rows.map(({ id }) => id);
}

describe('the last active admin', () => {
  it.each(Object.keys(ways))('cannot be taken away by: %s', async (name) => {
    const app = await testApp({ variables });
    const admin = await registerAdmin(app);
    const disabled = await registerAdmin(app);
    await app.request('POST', `/admin/users/${disabled.id}/disable`, { token: admin.access });
    const { status, body } = (await ways[name]?.(app, admin, admin)) ?? {};
    expect([status, body.code]).toEqual([409, 'last_admin']);
    expect(await admins(app)).toEqual([admin.id]);
    expect((await app.request('GET', '/admin/users', { token: admin.access })).status).toBe(200);
    const more = { token: admin.access, body: { roles: ['admin'] } };
    expect((await app.request('PUT', `/admin/users/${admin.id}/roles`, more)).status).toBe(200);
  });

  it.each(Object.keys(ways))('may go once there is another one: %s', async (name) => {
    const app = await testApp({ variables });
    const [admin, other] = [await registerAdmin(app), await registerAdmin(app)];
    expect((await ways[name]?.(app, admin, admin))?.status).toBe(200);
    expect(await admins(app)).toEqual([other.id]);
    const user = await registerUser(app);
    expect((await ways['leave']?.(app, user, user))?.status).toBe(200);
  });

  it.each(Object.keys(ways))('is still the last beside one without a password: %s', async (name) => {
    const app = await testApp({ variables });
    const [admin, other] = [await registerAdmin(app), await registerAdmin(app)];
    expect((await ways['reset']?.(app, admin, other))?.status).toBe(200);
    expect((await ways[name]?.(app, admin, admin))?.body.code).toBe('last_admin');
    expect((await ways['disable']?.(app, admin, other))?.status).toBe(200);
    expect(await admins(app)).toEqual([admin.id]);
  });

  it('is left over when all go at once, each by another way and through another replica', async () => {
    const clock = createClock();
    const one = await testApp({ clock, variables });
    const two = await testApp({ clock, variables, databaseUrl: one.databaseUrl });
    // What has looked and not yet changed waits there for a moment: what may meet halfway does.
    for (const statement of [
      `create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.02); return new; end'`,
      `create function slow_delete() returns trigger language plpgsql as 'begin perform pg_sleep(0.02); return old; end'`,
      'create trigger slow before update on users for each row execute function slow()',
      'create trigger slow_delete before delete on users for each row execute function slow_delete()',
    ]) {
      await one.deps.db.execute(sql.raw(statement));
    }
    const names = Object.keys(ways);
    let refused = 0;
    for (let round = 0; round < 6; round += 1) {
      const people: Person[] = [];
      for (let n = 0; n < 4; n += 1) people.push(await registerAdmin(n % 2 === 0 ? one : two));
      for (const id of await admins(one)) {
        if (people.every((person) => person.id !== id)) {
          await one.deps.db.execute(sql`update users set roles = '{user}' where id = ${id}::uuid`);
        }
      }
      const answers = await Promise.all(
        people.map((person, n) => {
          const way = ways[names[(n + round) % names.length] ?? ''];
          const by = people[(n + 1) % people.length] ?? person;
          return way?.(n % 2 === 0 ? one : two, round % 2 === 0 ? person : by, person);
        }),
      );
      // 401 where whoever asked was no admin any more by then.
      for (const answer of answers) expect([200, 401, 403, 409]).toContain(answer?.status);
      refused += answers.filter((answer) => answer?.status === 409).length;
      expect((await admins(one)).length).toBeGreaterThanOrEqual(1);
    }
    expect(refused).toBeGreaterThan(0);
  });
});
