import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { query } from '../../src/db/database.ts';
import { createClock, registerUser, testApp } from '../support/test-app.ts';
import { unreliable } from '../tokens/unreliable-store.ts';

const variables = { LOCKOUT_ACCOUNT: '10/3600/3600/3600' };

/** Wrong passwords from ever new addresses, until the account is locked. @returns how many were tried */
async function guess(app: Awaited<ReturnType<typeof testApp>>, email: string): Promise<number> {
  for (let tries = 1; tries <= 12; tries += 1) {
    const body = { email, password: 'wrong wrong wrong' };
    const { status } = await app.request('POST', '/auth/login', { body, address: `198.51.${tries}.1` });
    if (status !== 401) return tries;
  }
  return 0;
}

it.each([
  ['is there', 'nothing', 0, 11],
  ['is away', 'everything', 0, 6],
  ['goes away after more failures than half', 'everything', 7, 2],
] as const)('a lock tells the owner and the audit log where the store %s', async (_, failing, before, max) => {
  const clock = createClock();
  const store = unreliable(clock);
  const app = await testApp({ clock, kv: store.kv, variables });
  const user = await registerUser(app);
  for (let n = 0; n < before; n += 1) {
    const body = { email: user.email, password: 'wrong wrong wrong' };
    await app.request('POST', '/auth/login', { body, address: `203.0.${n}.1` });
  }
  store.fail(failing);
  expect(await guess(app, user.email)).toBe(max);
  await app.app.runScheduled();
  const rows = await query(
    app.deps.db,
    z.object({ n: z.int() }),
    sql`select count(*)::int as n from audit_log where type = 'account_locked'`,
  );
  expect(rows).toEqual([{ n: 1 }]);
  expect(
    app.mails.filter(({ to, subject }) => to === user.email && /lock|attempt|sign-in/i.test(subject)),
  ).toHaveLength(1);
});
