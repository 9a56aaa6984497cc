import { sql } from 'drizzle-orm';
import { decodeJwt } from 'jose';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { query } from '../../src/db/database.ts';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

type Person = Awaited<ReturnType<typeof registerUser>>;

it.each<[string, (app: TestApp, person: Person) => Promise<unknown>]>([
  ['all sessions end', ({ request }, { access }) => request('POST', '/auth/logout-all', { token: access })],
  [
    'the user is disabled',
    ({ deps }, { id }) => deps.db.execute(sql`update users set status = 'disabled' where id = ${id}::uuid`),
  ],
  ['the user is deleted', ({ deps }, { id }) => deps.db.execute(sql`delete from users where id = ${id}::uuid`)],
])(
  'while a password is being checked %s: the sign-in is refused as any other, and leaves no session',
  async (_, happen) => {
    const app = await testApp();
    const { databaseUrl, clock, deps } = app;
    const person = await registerUser(app);
    const slow = await testApp({
      databaseUrl,
      clock,
      hasher: {
        ...deps.hasher,
        async verify(...asked) {
          await happen(app, person);
          return await deps.hasher.verify(...asked);
        },
      },
    });
    const { status, body } = await slow.request('POST', '/auth/login', { body: { email: person.email, password } });
    expect([status, body.code]).toEqual([401, 'invalid_credentials']);
    // At most the session of the registration is there.
    const first = String(decodeJwt(person.access)['sid']);
    const others = sql`select 1 from sessions where user_id = ${person.id}::uuid and id <> ${first}::uuid`;
    expect(await query(deps.db, z.unknown(), others)).toEqual([]);
  },
);
