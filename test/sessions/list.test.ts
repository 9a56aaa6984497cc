import { describe, expect, it } from 'vitest';
import { password, registerUser, type TestApp, testApp } from '../support/test-app.ts';
import { ask } from '../tokens/sessions-under-test.ts';

interface Item {
  readonly id: string;
  readonly current: boolean;
}

const path = '/users/sessions';
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0';
const login = async ({ request }: TestApp, email: string, headers: Record<string, string> = {}) =>
  (await request('POST', '/auth/login', { body: { email, password }, headers })).body;
const list = ({ request }: TestApp, token: string, query = '') => request('GET', `${path}${query}`, { token });
const idsOf = (items: readonly Item[]) => items.map(({ id }) => id);
const currentId = async (app: TestApp, token: string): Promise<string> =>
  (await list(app, token)).body.items.find(({ current }: Item) => current).id;

/** Follows the cursor to the end, and does something between two pages. */
async function readAll(app: TestApp, token: string, limit: number, between: () => Promise<unknown>): Promise<string[]> {
  const found: string[] = [];
  let cursor = '';
  for (;;) {
    const { body } = await list(app, token, `?limit=${limit}${cursor}`);
    expect(body.items.length).toBeLessThanOrEqual(limit);
    found.push(...idsOf(body.items));
    if (body.next_cursor === null) return found;
    cursor = `&cursor=${body.next_cursor}`;
    await between();
  }
}

describe('the list of sessions', () => {
  it('tells of each open one where it came from and when it was used, newest first', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    await registerUser(app);
    const started = new Date(app.clock.now()).toISOString();
    app.clock.advance(60);
    const long = `${firefox} ${'x'.repeat(300)}`;
    const second = await login(app, user.email, { 'User-Agent': long });
    app.clock.advance(60);
    await app.request('POST', '/auth/refresh', { body: { refresh_token: user.refresh } });
    const { status, body, headers } = await list(app, user.access);
    expect(status).toBe(200);
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(body).toEqual({
      items: [
        expect.objectContaining({
          current: false,
          user_agent: long.slice(0, 256),
          browser: 'Firefox',
          os: 'Linux',
          device: 'desktop',
        }),
        {
          id: expect.any(String),
          created_at: started,
          last_seen_at: new Date(app.clock.now()).toISOString(),
          address: '192.0.2.0/24',
          user_agent: null,
          browser: null,
          os: null,
          device: null,
          current: true,
        },
      ],
      next_cursor: null,
    });
    expect(await currentId(app, second.access_token)).toBe(body.items[0].id);
  });

  it('leaves out what has ended, run out, lain idle or belongs to an older epoch', async () => {
    const app = await testApp({ variables: { SESSION_IDLE_TTL: '3600' } });
    const user = await registerUser(app);
    const ended = await login(app, user.email);
    await app.request('POST', '/auth/logout', { token: ended.access_token });
    app.clock.advance(3601);
    const { access_token: now } = await login(app, user.email);
    expect((await list(app, now)).body.items).toHaveLength(1);
    const other = await login(app, user.email);
    expect((await list(app, now)).body.items).toHaveLength(2);
    const id = await currentId(app, other.access_token);
    await app.deps.db.execute(`update sessions set epoch = -1 where id = '${id}'`);
    expect((await list(app, now)).body.items).toHaveLength(1);
    await app.deps.db.execute(`update sessions set epoch = 0, expires_at = created_at where id = '${id}'`);
    expect((await list(app, now)).body.items).toHaveLength(1);
  });

  it('is read page by page, and what is added meanwhile shifts nothing', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    for (let count = 0; count < 6; count += 1) {
      app.clock.advance(1);
      await login(app, user.email);
    }
    const all = idsOf((await list(app, user.access)).body.items);
    expect(all).toHaveLength(7);
    const added = () => {
      app.clock.advance(1);
      return login(app, user.email);
    };
    expect(await readAll(app, user.access, 3, added)).toEqual(all);
    expect(await readAll(app, user.access, 1, async () => {})).toHaveLength(9);
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=x',
    'limit=1.5',
    'limit=',
    'limit=1&limit=2',
    'limit=NaN',
    'cursor=1',
    'cursor=',
  ])('refuses ?%s', async (query) => {
    const app = await testApp();
    const { access } = await registerUser(app);
    const { status, body } = await list(app, access, `?${query}`);
    expect([status, body.code]).toEqual([422, 'validation_failed']);
    expect(body.errors[0].path).toBe(query.split('=')[0]);
  });

  it('refuses a query that it does not know, and one with a NUL', async () => {
    const app = await testApp();
    const { access } = await registerUser(app);
    for (const query of ['', '?', '?limit=100']) expect((await list(app, access, query)).status).toBe(200);
    for (const query of ['?__proto__=1&__proto__=2', '?constructor=%', '?other=1', '?limit=1%00']) {
      expect((await list(app, access, query)).status, query).toBe(422);
    }
    expect((await app.request('GET', path)).status).toBe(401);
  });
});

describe('ending a session from the list', () => {
  const end = ({ request }: TestApp, token: string, id: string) => request('DELETE', `${path}/${id}`, { token });

  it('refuses its tokens at once, and leaves the others alone', async () => {
    const app = await testApp();
    const user = await registerUser(app);
    app.clock.advance(1);
    const other = await login(app, user.email);
    const id = await currentId(app, other.access_token);
    app.clock.advance(1);
    const { status, body } = await end(app, user.access, id.toUpperCase());
    expect([status, body]).toEqual([204, '']);
    expect(await ask(app, other.access_token)).toBe(401);
    const refreshed = await app.request('POST', '/auth/refresh', { body: { refresh_token: other.refresh_token } });
    expect(refreshed.status).toBe(401);
    expect(await ask(app, user.access)).toBe(200);
    expect((await end(app, user.access, id)).status).toBe(404);
    const { body: activity } = await app.request('GET', '/users/activity?limit=1', { token: user.access });
    expect(activity.items).toMatchObject([{ type: 'session_revoked', session_id: id }]);
  });

  it('may be the one that asks', async () => {
    const app = await testApp();
    const { access } = await registerUser(app);
    expect((await end(app, access, await currentId(app, access))).status).toBe(204);
    expect(await ask(app, access)).toBe(401);
  });

  it('is for the own ones only: another one is not found, nor is one that is no id', async () => {
    const app = await testApp();
    const [user, stranger] = [await registerUser(app), await registerUser(app)];
    const foreign = await currentId(app, stranger.access);
    const unknown = crypto.randomUUID();
    const answers = [foreign, unknown, '1', "'", '%00', '%ff', `${foreign}x`].map((id) => end(app, user.access, id));
    for (const { status, body } of await Promise.all(answers)) expect([status, body.code]).toEqual([404, 'not_found']);
    expect(await ask(app, stranger.access)).toBe(200);
    const { body } = await app.request('GET', '/users/activity', { token: stranger.access });
    expect(body.items).toHaveLength(1);
    const { status, headers } = await app.request('GET', `${path}/${foreign}`, { token: user.access });
    expect([status, headers.get('Allow')]).toEqual([405, 'DELETE']);
  });
});
