import { describe, expect, it } from 'vitest';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';

const read = ({ request }: TestApp, token: string, query = '') => request('GET', `/users/activity${query}`, { token });

describe('the activity', () => {
  it('is what happened to the account, also what others tried, newest first', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    await registerUser(app);
    app.clock.advance(1);
    const attempt = { body: { email: user.email, password: 'wrong' }, address: '198.51.100.7' };
    await app.request('POST', '/auth/login', { ...attempt, headers: { 'User-Agent': 'curl/8' } });
    const { status, body, headers } = await read(app, user.access);
    expect([status, headers.get('Cache-Control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      items: [
        {
          id: expect.any(String),
          type: 'login',
          result: 'failure',
          created_at: new Date(app.clock.now()).toISOString(),
          address: '198.51.100.0/24',
          user_agent: 'curl/8',
          browser: 'curl',
          os: null,
          device: null,
          session_id: null,
        },
        expect.objectContaining({ type: 'user_registered', result: 'success', session_id: expect.any(String) }),
      ],
      next_cursor: null,
    });
  });

  it('is read page by page, and what is added meanwhile shifts nothing', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    const add = () => {
      app.clock.advance(1);
      return app.request('POST', '/auth/login', { body: { email: user.email, password } });
    };
    for (let count = 0; count < 5; count += 1) await add();
    const all: unknown[] = (await read(app, user.access)).body.items;
    const found: unknown[] = [];
    let { body } = await read(app, user.access, '?limit=2');
    found.push(...body.items);
    while (body.next_cursor !== null) {
      await add();
      ({ body } = await read(app, user.access, `?limit=2&cursor=${body.next_cursor}`));
      found.push(...body.items);
    }
    expect(found).toEqual(all);
    expect(all).toHaveLength(6);
  });

  it('of others is never shown, also by a cursor of theirs', async () => {
    const app = await testApp();
    const [user, stranger] = [await registerUser(app), await registerUser(app)];
    app.clock.advance(1);
    await app.request('POST', '/auth/login', { body: { email: stranger.email, password } });
    const [newest, oldest] = (await read(app, stranger.access)).body.items;
    for (const { id } of [newest, oldest]) {
      const { body } = await read(app, user.access, `?cursor=${id}`);
      for (const item of body.items) expect([newest.id, oldest.id]).not.toContain(item.id);
    }
    expect((await read(app, user.access, '?limit=-1')).status).toBe(422);
    expect((await app.request('GET', '/users/activity')).status).toBe(401);
  });
});
