import { expect, it } from 'vitest';
import type { Mail, Mailer } from '../src/mailer.ts';
import { everyRow } from './support/dump.ts';
import { secretsTo } from './support/mail.ts';
import { testApp } from './support/test-app.ts';

/** What a person gives us and nobody else may see. A username is public. */
const canary = {
  email: 'Canary.Bird@canary.example',
  newEmail: 'Canary.Nest@canary.example',
  name: 'Canaria-Name',
  surname: 'Canaria-Surname',
  phone: '+14155550199',
  otherPhone: '+14155550188',
  password: 'the canary sings at dawn',
  nextPassword: 'the canary sleeps at dusk',
  wrongPassword: 'no canary at all here',
  address: '203.0.113.77',
};

/** Collects every secret that an answer hands out. */
function secretsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    /token$/.test(key) && typeof inner === 'string' ? [inner] : secretsOf(inner),
  );
}

/** A provider that is moody, and says whom it is about. */
function moodyMailer(mails: Mail[]): Mailer {
  let calls = 0;
  return {
    kind: 'smtp',
    close: async () => undefined,
    async send(mail) {
      calls += 1;
      if (calls % 3 === 0) throw new Error(`550 no such user ${mail.to}: ${mail.text}`);
      mails.push(mail);
    },
  };
}

it('nothing that a person gave, and no secret, stands in clear in any table or log line, whatever is done', async () => {
  const mails: Mail[] = [];
  const mailer = moodyMailer(mails);
  const lax = await testApp({ mailer });
  const strict = await testApp({
    mailer,
    databaseUrl: lax.databaseUrl,
    clock: lax.clock,
    variables: { REQUIRE_EMAIL_VERIFICATION: 'true', MAILBOX_URL: 'http://mailbox.test' },
  });
  const secrets: string[] = [];
  const rows = new Set<string>();
  const headers = { 'User-Agent': 'Mozilla/5.0', 'Accept-Language': 'de' };
  let access = '';

  const send = async (app: typeof lax, method: string, path: string, body?: object) => {
    const answer = await app.request(method, path, {
      headers,
      address: canary.address,
      token: access || undefined,
      ...(body === undefined ? {} : { body }),
    });
    secrets.push(...secretsOf(answer.body));
    const device = answer.headers.get('X-Device-Token');
    if (device !== null) secrets.push(device);
    if (typeof answer.body?.access_token === 'string') access = answer.body.access_token;
    expect(answer.status).toBeLessThan(500);
    // Every state on the way counts, and not only the last.
    for (const row of await everyRow(lax)) rows.add(row);
    return answer;
  };
  /** What the newest mail carries; where it was refused, the scheduled work sends it again. */
  const carried = async (to: string) => {
    for (let times = 0; times < 3; times += 1) {
      lax.clock.advance(120);
      await lax.app.runScheduled();
    }
    const found = secretsTo({ mails }, to);
    secrets.push(found.token, found.code, found.code.replace('-', ''));
    return found;
  };
  const login = (app: typeof lax, password: string, email = canary.email) =>
    send(app, 'POST', '/auth/login', { email, password });

  for (const [app, email] of [
    [lax, canary.email],
    [strict, canary.newEmail],
  ] as const) {
    const { name, surname, phone: phone_number, password } = canary;
    await send(app, 'POST', '/auth/register', {
      email,
      password,
      name,
      surname,
      phone_number,
      username: `bird${email.length}-${app === lax}`,
    });
    await send(app, 'POST', '/auth/register', { email, password });
    await send(app, 'POST', '/auth/verify-email', { email, code: 'AAAA-AAAA' });
    await send(app, 'POST', '/auth/resend-verification', { email });
    access = '';
    if (app === strict) break;
    await send(app, 'POST', '/auth/verify-email', { token: (await carried(email)).token });
  }
  await login(lax, canary.wrongPassword);
  await login(lax, canary.password);
  await send(lax, 'GET', '/users/me');
  await send(lax, 'PUT', '/users/profile', {
    name: canary.surname,
    surname: canary.name,
    phone_number: canary.otherPhone,
  });
  await send(lax, 'GET', '/users/export');
  await send(lax, 'POST', '/auth/reauthenticate', { password: canary.password });
  const refresh_token = secrets.findLast((secret) => /^[0-9a-f-]{36}\.0\./.test(secret));
  await send(lax, 'POST', '/auth/refresh', { refresh_token });
  await send(lax, 'POST', '/users/change-password', {
    current_password: canary.password,
    new_password: canary.nextPassword,
  });
  await send(lax, 'POST', '/users/change-password', {
    current_password: canary.wrongPassword,
    new_password: canary.password,
  });
  await send(lax, 'POST', '/auth/forgot-password', { email: canary.email });
  await send(lax, 'POST', '/auth/reset-password', {
    token: (await carried(canary.email)).token,
    password: canary.password,
  });
  await login(lax, canary.password);
  await send(lax, 'POST', '/users/change-email', { email: canary.newEmail });
  await send(lax, 'POST', '/auth/confirm-email-change', { token: (await carried(canary.newEmail)).token });
  await login(lax, canary.password, canary.newEmail);
  await send(lax, 'POST', '/auth/undo-email-change', { token: (await carried(canary.email)).token });
  await carried(canary.email);
  for (let times = 0; times < 7; times += 1) await login(lax, canary.wrongPassword);
  await send(lax, 'GET', '/users/activity');

  const distinct = [...new Set(secrets)].filter((secret) => secret !== '');
  // It has to have seen them: access and refresh tokens, links and codes.
  expect(distinct.length).toBeGreaterThan(15);
  expect(rows.size).toBeGreaterThan(50);
  const lines = [...lax.logLines, ...strict.logLines];
  expect(lines.length).toBeGreaterThan(30);
  const output = [...rows, ...lines].join('\n').toLowerCase();
  const values = [...Object.values(canary), ...Object.values(canary).map((text) => text.replace('+', '')), ...distinct];
  expect(values.filter((value) => output.includes(value.toLowerCase()))).toEqual([]);
  expect(output).not.toContain('canary');
  expect(output).not.toContain('canaria');
  // That the look finds what is there.
  expect(output).toContain('bird26-true');
});
