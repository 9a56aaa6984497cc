import { describe, expect, it } from 'vitest';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const download = ({ request }: TestApp, token: string) => request('GET', '/users/export', { token });

describe('the export', () => {
  it('holds the user, every session and every event, and no hash', async () => {
    const app = await testApp();
    const user = await registerUser(app, { username: 'ann', name: 'Ann', phone_number: '+14155550100' });
    const stranger = await registerUser(app);
    app.clock.advance(1);
    const { body: second } = await app.request('POST', '/auth/login', { body: { username: 'ann', password } });
    app.clock.advance(1);
    await app.request('POST', '/auth/logout', { token: second.access_token });
    const { status, headers, body } = await download(app, user.access);
    expect(status).toBe(200);
    expect(headers.get('Content-Disposition')).toBe('attachment; filename="account.json"');
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(headers.get('Content-Type')).toBe('application/json');
    expect(body.user).toMatchObject({ email: user.email, username: 'ann', name: 'Ann', phone_number: '+14155550100' });
    expect(body.sessions).toMatchObject([{ ended_reason: 'logout' }, { ended_at: null, address: '192.0.2.0/24' }]);
    expect(body.activity).toMatchObject([{ type: 'logout' }, { type: 'login' }, { type: 'user_registered' }]);
    expect(body.pending).toMatchObject({ links: [{ purpose: 'verify_email', email: null }], mails: [] });
    const text = JSON.stringify(body);
    for (const secret of ['argon2', 'sealed', 'index', stranger.id, stranger.email]) expect(text).not.toContain(secret);
  });

  it('is read in pages, and complete however long it is', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    await app.deps.db.execute(`insert into audit_log (id, type, result, user_id, created_at)
      select ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'login', 'failure', '${user.id}', now()
      from generate_series(1, 1499) as n`);
    const before = app.statements.length;
    const { body } = await download(app, user.access);
    expect(new Set(body.activity.map(({ id }: { id: string }) => id)).size).toBe(1500);
    // The user, the sessions, three full pages of events and an empty one.
    const read = app.statements.slice(before).filter(({ sql }) => /^select .*"(users|sessions|audit_log)"/.test(sql));
    expect(read.filter(({ sql }) => sql.includes('"audit_log"'))).toHaveLength(4);
  });

  it('breaks off where the database goes away halfway, and says so in the log', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    await app.deps.db.execute('alter table audit_log rename to gone');
    await expect(download(app, user.access)).rejects.toThrow();
    const line = app.logLines.map((text) => JSON.parse(text)).find(({ event }) => event === 'export_failed');
    expect(line).toMatchObject({ level: 'error', request_id: expect.any(String) });
    expect(JSON.stringify(line)).not.toContain(user.id);
  });

  it('counts against a limit of its own, and needs a token', async () => {
    const app = await testApp({ variables: { LIMIT_EXPORT_USER: '1/3600' } });
    const { access } = await registerUser(app);
    expect((await download(app, access)).status).toBe(200);
    expect((await download(app, access)).status).toBe(429);
    expect((await app.request('GET', '/users/export')).status).toBe(401);
  });
});
