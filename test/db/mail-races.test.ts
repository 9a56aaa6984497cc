import { sql } from 'drizzle-orm';
import { expect, inject, it } from 'vitest';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { secretsIn, secretsTo } from '../support/mail.ts';
import { createClock, password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

/** Every statement that writes an audit row stops there for a while: what may meet halfway does. */
const slowDown = `create function slow() returns trigger language plpgsql as
  'begin perform pg_sleep(random() * 0.02); return new; end';
  create trigger slow before insert on audit_log for each row execute function slow()`;
const unlimited = ['MAIL_ADDRESS', 'MAIL_ACCOUNT', 'PASSWORD_USER', 'WRITE_USER', 'REGISTER_ADDRESS'];

type Person = Awaited<ReturnType<typeof registerUser>>;
type Act = readonly [method: string, path: string, body: object, token?: string];

/** Everything that two people, each of whom wants the address of the other, can do with their mails and passwords. */
async function everything(app: TestApp, [ann, bob]: readonly [Person, Person]): Promise<Act[]> {
  const post = (path: string, body: object, token?: string) => app.request('POST', path, { body, token });
  const next = `next-${crypto.randomUUID()}@example.com`;
  const verifications = [ann, bob].map(({ email }) => secretsTo(app, email).token);
  await post('/users/change-email', { email: next }, ann.access);
  await post('/auth/confirm-email-change', { token: secretsTo(app, next).token });
  const undo = secretsTo(app, ann.email).token;
  const resets: string[] = [];
  for (const email of [next, bob.email]) {
    await post('/auth/forgot-password', { email });
    resets.push(secretsTo(app, email).token);
  }
  await post('/users/change-email', { email: bob.email }, ann.access);
  await post('/users/change-email', { email: ann.email }, bob.access);
  const changes = app.mails.slice(-2).map((mail) => secretsIn(mail).token);
  const changed = { current_password: password, new_password: 'changed by its owner' };
  return [
    ...verifications.map((token): Act => ['POST', '/auth/verify-email', { token }]),
    ...resets.map((token): Act => ['POST', '/auth/reset-password', { token, password: 'set by who reads it' }]),
    ...changes.map((token): Act => ['POST', '/auth/reset-password', { token, password: 'set by who reads it' }]),
    ['POST', '/auth/undo-email-change', { token: undo }],
    ['POST', '/users/change-email', { email: next }, bob.access],
    ['POST', '/auth/logout-all', {}, bob.access],
    ['DELETE', '/users/delete-account', { password }, bob.access],
    ...[ann, bob].flatMap(({ email, access, refresh }): Act[] => [
      ['POST', '/users/change-password', changed, access],
      ['POST', '/auth/login', { email, password }],
      ['POST', '/auth/refresh', { refresh_token: refresh }],
      ['POST', '/auth/reauthenticate', { password }, access],
      ['POST', '/auth/forgot-password', { email }],
      ['PUT', '/users/profile', { name: 'X' }, access],
    ]),
  ];
}

it('all that mails and passwords can do to two accounts at once: each link works once, and nothing fails', async () => {
  const clock = createClock();
  const variables = Object.fromEntries(unlimited.map((name) => [`LIMIT_${name}`, '1000/60']));
  const options = { clock, kv: createMemoryKeyValue(clock), variables };
  const one = await testApp(options);
  for (const statement of slowDown.split(/;\s+(?=create)/)) await one.deps.db.execute(sql.raw(statement));
  const other = await testApp({ ...options, databaseUrl: one.databaseUrl });
  for (let round = 0; round < (inject('isThorough') ? 8 : 2); round += 1) {
    const acts = await everything(one, [await registerUser(one), await registerUser(one)]);
    const twice = [...acts, ...acts].toSorted(() => Math.random() - 0.5);
    const answers = await Promise.all(
      twice.map(async ([method, path, body, token], index) => {
        const { status, body: answer } = await (index % 2 === 0 ? one : other).request(method, path, { body, token });
        // The second use of a link that verified its address says so, and does nothing.
        const isLink = 'token' in body && !/already/.test(answer.message ?? '');
        return { status, link: isLink ? `${path} ${body.token}` : undefined, path };
      }),
    );
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    const used = answers.flatMap(({ status, link }) => (status === 200 && link !== undefined ? [link] : []));
    expect(new Set(used).size).toBe(used.length);
    const torn = sql`select 1 from users where (email_index is null) <> (email_sealed is null)`;
    expect(await one.deps.db.execute(torn)).toMatchObject({ rows: [] });
  }
});
