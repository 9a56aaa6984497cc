import { describe, expect, it } from 'vitest';
import { makeRole, registerAdmin, registerWith } from '../support/admin.ts';
import { collectingSink, webhooks } from '../support/events.ts';
import { registerUser, type TestApp, testApp } from '../support/test-app.ts';

/** Two users whose events were given up by one sink; another one took them. */
async function givenUp() {
  const [down, up] = [collectingSink('down'), collectingSink('up')];
  const app = await testApp({ variables: webhooks('down', 'up'), sinks: [down, up] });
  const admin = await registerAdmin(app);
  down.isDown = true;
  const users = [await registerUser(app), await registerUser(app)];
  await app.deps.db.execute(
    `update outbox set dead = true, attempts = 20, last_error = 'timeout' where kind = 'event'`,
  );
  down.isDown = false;
  down.taken.splice(0);
  return { app, admin, users, down };
}
const listed = async (app: TestApp, token: string, query = '') =>
  (await app.request('GET', `/admin/events${query}`, { token })).body.items;

describe('events that were given up', () => {
  it('are shown without what they say, by state, sink, type and user', async () => {
    const { app, admin, users } = await givenUp();
    const [first] = users;
    const all = await listed(app, admin.access);
    expect(all).toHaveLength(4);
    expect(JSON.stringify(all)).not.toContain('example.com');
    expect(
      all.find(
        (event: { type: string; user_id: string }) => event.type === 'UserCreated' && event.user_id === first?.id,
      ),
    ).toEqual({
      id: expect.any(String),
      event_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      type: 'UserCreated',
      user_id: first?.id,
      sink: 'webhook:down',
      state: 'dead',
      attempts: 20,
      last_error: 'timeout',
      created_at: new Date(app.clock.now()).toISOString(),
      next_attempt_at: null,
    });
    expect(await listed(app, admin.access, `?state=dead&user=${first?.id}&type=SessionStarted`)).toHaveLength(1);
    expect(await listed(app, admin.access, '?sink=webhook:down')).toHaveLength(4);
    expect(await listed(app, admin.access, '?state=waiting')).toEqual([]);
    const { body: page } = await app.request('GET', '/admin/events?limit=3', { token: admin.access });
    expect(await listed(app, admin.access, `?cursor=${page.next_cursor}`)).toHaveLength(1);
    expect((await app.request('GET', '/admin/events?type=Nothing', { token: admin.access })).status).toBe(422);
  });

  it('are delivered again, one or all, and the audit log says who asked for it', async () => {
    const { app, admin, down } = await givenUp();
    const { access: token } = admin;
    const [newest] = await listed(app, token, '?type=UserCreated');
    expect(newest.event_id).not.toBe(newest.id);
    const { status, body } = await app.request('POST', `/admin/events/${newest.id}/replay`, { token });
    expect([status, body.replayed]).toEqual([200, 1]);
    const { user_id: subject, event_id: id } = newest;
    expect(down.taken).toEqual([expect.objectContaining({ type: 'UserCreated', subject, id })]);
    expect((await app.request('POST', `/admin/events/${newest.id}/replay`, { token })).status).toBe(404);
    const rest = await app.request('POST', '/admin/events/replay', { token, body: { sink: 'webhook:down' } });
    expect(rest.body.replayed).toBe(3);
    expect(down.taken).toHaveLength(4);
    expect(await listed(app, token)).toEqual([]);
    const { body: audit } = await app.request('GET', '/admin/audit?type=events_replayed', { token });
    expect(audit.items).toHaveLength(2);
    expect(audit.items[0]).toMatchObject({ actor_id: admin.id, user_id: null, result: 'success' });
    const none = await app.request('POST', '/admin/events/replay', { token });
    expect(none.body.replayed).toBe(0);
  });

  it('are for those who have the permission', async () => {
    const app = await testApp();
    await makeRole(app, 'reader', ['events:read']);
    const reader = await registerWith(app, ['reader']);
    const user = await registerUser(app);
    const replay = (token: string) => app.request('POST', '/admin/events/replay', { token });
    expect((await app.request('GET', '/admin/events', { token: reader.access })).status).toBe(200);
    expect((await replay(reader.access)).status).toBe(403);
    expect((await app.request('GET', '/admin/events', { token: user.access })).status).toBe(403);
    expect((await replay(user.access)).status).toBe(403);
  });
});
