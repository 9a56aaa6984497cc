import { describe, expect, it } from 'vitest';
import { registerUser, type TestApp, testApp } from '../support/test-app.ts';

const path = '/users/profile';
const ann = { name: 'Ann', surname: 'Lee', phone_number: '+14155550100', locale: 'pt-BR' };

async function signedIn() {
  const app = await testApp({ variables: { LIMIT_WRITE_USER: '1000/60' } });
  const user = await registerUser(app, { name: 'Ann' });
  // Events of one millisecond have no order.
  app.clock.advance(1);
  const put = (body: unknown, headers: Record<string, string> = {}) =>
    app.request('PUT', path, { token: user.access, body, headers });
  const get = (headers: Record<string, string> = {}) => app.request('GET', path, { token: user.access, headers });
  return { app, user, put, get };
}

const events = async ({ request }: TestApp, token: string) =>
  (await request('GET', '/users/activity', { token })).body.items.map(({ type }: { type: string }) => type);

describe('the profile', () => {
  it('is the user and the locale, and PUT replaces what people say about themselves', async () => {
    const { app, user, put, get } = await signedIn();
    const { body: me } = await app.request('GET', '/users/me', { token: user.access });
    expect((await get()).body).toEqual({ ...me, locale: null });
    app.clock.advance(5);
    const { status, body, headers } = await put({
      ...ann,
      locale: 'pt-br',
      email: 'other@example.com',
      roles: ['admin'],
    });
    expect(status).toBe(200);
    expect(body).toEqual({ ...me, ...ann, updated_at: new Date(app.clock.now()).toISOString() });
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect((await get()).body).toEqual(body);
    const { locale, ...shared } = body;
    expect((await app.request('GET', '/users/me', { token: user.access })).body).toEqual(shared);
    expect(locale).toBe('pt-BR');
  });

  it('has null for what was missing', async () => {
    const { put, get } = await signedIn();
    await put(ann);
    const nothing = { name: null, surname: null, phone_number: null, locale: null };
    expect((await put({ locale: null })).body).toMatchObject(nothing);
    expect((await get()).body).toMatchObject(nothing);
    expect((await put(nothing)).status).toBe(200);
  });

  it.each([
    [{ name: '' }, 'name'],
    [{ name: 'a\u0000b' }, 'name'],
    [{ surname: 'x'.repeat(101) }, 'surname'],
    [{ phone_number: '0123' }, 'phone_number'],
    [{ locale: 'not a locale' }, 'locale'],
    [{ locale: '' }, 'locale'],
    [{ locale: '\ud800' }, 'locale'],
    [{ phone_number: '+49 030' }, 'phone_number'],
    [{ locale: `en-${'abcdefgh-'.repeat(10)}a` }, 'locale'],
    [{ locale: 1 }, 'locale'],
  ])('refuses %j', async (wrong, field) => {
    const { put } = await signedIn();
    const { status, body } = await put({ ...ann, ...wrong });
    expect(status).toBe(422);
    expect(body.errors).toEqual([{ path: field, message: expect.any(String) }]);
  });

  it('stays where no field of it is known, and takes unknown ones beside a known one', async () => {
    const { put } = await signedIn();
    await put(ann);
    for (const typo of [{}, { nmae: 'Ann' }, { constructor: 'x' }]) {
      const { status, body } = await put(typo);
      expect([status, body.errors]).toEqual([422, [{ path: '', message: expect.stringContaining('name, surname') }]]);
    }
    const { status, body } = await put({ ...ann, nickname: 'Annie' });
    expect([status, body]).toEqual([200, expect.objectContaining(ann)]);
  });

  it('is sealed where it is stored, and its change recorded', async () => {
    const { app, user, put } = await signedIn();
    await put(ann);
    const { rows } = (await app.deps.db.execute(`select to_jsonb(u) as row from users u`)) as unknown as {
      rows: unknown[];
    };
    expect(rows).toHaveLength(1);
    for (const secret of ['Ann', 'Lee', '4155550100']) expect(JSON.stringify(rows)).not.toContain(secret);
    expect(await events(app, user.access)).toEqual(['profile_changed', 'user_registered']);
  });
});

describe('the ETag', () => {
  it('is strong, changes with each change and saves reading the same again', async () => {
    const { put, get } = await signedIn();
    const first = (await get()).headers.get('ETag') ?? '';
    expect(first).toMatch(/^"[!#-~]+"$/);
    for (const known of [first, `W/${first}`, `"other", ${first}`, '*']) {
      const { status, body, headers } = await get({ 'If-None-Match': known });
      expect([status, body, headers.get('ETag')]).toEqual([304, '', first]);
    }
    const second = (await put(ann)).headers.get('ETag');
    expect(second).not.toBe(first);
    expect((await get({ 'If-None-Match': first })).headers.get('ETag')).toBe(second);
    expect((await put(ann)).headers.get('ETag')).not.toBe(second);
  });

  it('of another user is another one', async () => {
    const { app, get } = await signedIn();
    const other = await registerUser(app);
    const tag = (await app.request('GET', path, { token: other.access })).headers.get('ETag') ?? '';
    expect((await get({ 'If-None-Match': tag })).status).toBe(200);
  });

  it('in If-Match has to be the current one', async () => {
    const { app, user, put, get } = await signedIn();
    const first = (await get()).headers.get('ETag') ?? '';
    const { status, headers } = await put(ann, { 'If-Match': `"other" , ${first}` });
    expect(status).toBe(200);
    const second = headers.get('ETag') ?? '';
    const prefix = first.slice(0, -2);
    const stale = [first, `W/${first}`, '"other"', '', 'nonsense', second.slice(1, -1)];
    const odd = ['-1', '1.0', '01', '1e0', '99999999999999999999', '2147483648', '-99999999999', ''];
    for (const tag of [...stale, ...odd.map((version) => `${prefix}${version}"`)]) {
      const { status: refused, body } = await put({ name: 'Eve' }, { 'If-Match': tag });
      expect([tag, refused, body.code]).toEqual([tag, 412, 'precondition_failed']);
    }
    expect((await get()).body).toMatchObject(ann);
    expect(await events(app, user.access)).toEqual(['profile_changed', 'user_registered']);
    expect((await put(ann, { 'If-Match': '*' })).status).toBe(200);
  });

  it('lets one of ten parallel changes that name it win', async () => {
    const { app, user, put, get } = await signedIn();
    const tag = (await get()).headers.get('ETag') ?? '';
    const names = Array.from({ length: 10 }, (_, index) => `Ann ${index}`);
    const answers = await Promise.all(names.map((name) => put({ name }, { 'If-Match': tag })));
    const [winner, ...others] = answers.filter(({ status }) => status === 200);
    expect(others).toEqual([]);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(9);
    expect((await get()).body).toEqual(winner?.body);
    expect(await events(app, user.access)).toEqual(['profile_changed', 'user_registered']);
  });
});

describe('without an account', () => {
  it('there is no profile, whether it is read or changed', async () => {
    const { app, put, get } = await signedIn();
    await app.deps.db.execute(`update users set status = 'disabled'`);
    expect([(await get()).status, (await put(ann)).status]).toEqual([401, 401]);
    for (const method of ['GET', 'PUT']) expect((await app.request(method, path)).status).toBe(401);
  });
});
