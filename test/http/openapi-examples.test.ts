import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { KeyValue } from '../../src/kv.ts';
import { policyNames } from '../../src/limits/policies.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { registerAdmin } from '../support/admin.ts';
import { collectingSink, webhooks } from '../support/events.ts';
import { secretsTo } from '../support/mail.ts';
import { createChecker, examplesOf, type Operation, operationsOf, readDocument } from '../support/openapi.ts';
import { metricsToken, withMetrics } from '../support/prometheus.ts';
import { type Answer, createClock, createDatabase, password, type TestApp, testApp } from '../support/test-app.ts';

const wide = Object.fromEntries(policyNames.map((name) => [`LIMIT_${name.toUpperCase()}`, '1000000/1']));
const email = 'ann@example.com';
/** Takes events, but not where one that was given up is needed. */
const sink = collectingSink('sink');

/** Who is there when an example is sent, and what only this service can give. */
interface World {
  readonly token: string;
  readonly device: string;
  /** What stands for `{id}`. */
  readonly id: string;
  /** Fields of bodies. */
  readonly secrets: Readonly<Record<string, string>>;
}

type Make = (world: World) => { target: string; body?: unknown; headers?: Record<string, string> };

/** The store, which notes what is counted. */
function noting(kv: KeyValue, counted: Set<string>): KeyValue {
  return {
    ...kv,
    run: (operations) => {
      for (const operation of operations) {
        // Keys are `limit:<policy>:<whose>`.
        if (operation.type === 'limit') counted.add(operation.key.split(':')[1] ?? '');
      }
      return kv.run(operations);
    },
  };
}

/** Empties the service and makes what an operation needs: Ann, who is in all examples, and an admin. */
async function createWorld(app: TestApp, { answering, path }: Operation): Promise<World> {
  const { request } = app;
  if (answering === 'metrics') return { token: metricsToken, device: '', id: '', secrets: {} };
  await app.deps.db.execute(sql`delete from users`);
  await app.deps.db.execute(sql`delete from outbox`);
  sink.isDown = answering === 'replayEvent';
  app.mails.length = 0;
  app.clock.advance(1);
  const isAdministration = path.includes('/admin/');
  const admin = isAdministration ? await registerAdmin(app) : undefined;
  const isNew = ['register', 'registerByAnyName', 'createUser'].includes(answering);
  if (isNew) return { token: admin?.access ?? '', device: '', id: '', secrets: {} };
  const ann = await request('POST', '/auth/register', { body: { email, username: 'ann', password } });
  const token: string = admin?.access ?? ann.body.access_token;
  const post = async (target: string, body: object) => {
    const { status } = await request('POST', target, { body, token: ann.body.access_token });
    if (status >= 300) throw new Error(`${target}: ${status}`);
  };
  if (answering === 'resetPassword') await post('/auth/forgot-password', { email });
  if (/EmailChange$/.test(answering)) await post('/users/change-email', { email: 'new@example.com' });
  if (answering === 'undoEmailChange') await post('/auth/confirm-email-change', secretsOf(app, 'new@example.com'));
  const id = answering === 'replayEvent' ? await givenUp(app, token) : ann.body.user.id;
  const mailed = answering === 'confirmEmailChange' ? 'new@example.com' : email;
  return {
    token,
    device: ann.headers.get('X-Device-Token') ?? '',
    // A refresh token begins with the id of its session.
    id: answering === 'revokeSession' ? ann.body.refresh_token.split('.')[0] : id,
    secrets: {
      ...secretsTo(app, mailed),
      refresh_token: ann.body.refresh_token,
      ...(mailed === email ? {} : { email: mailed }),
    },
  };
}

/** An event that its sink did not take. */
async function givenUp({ deps, request }: TestApp, token: string): Promise<string> {
  await deps.db.execute(sql`update outbox set dead = true where kind = 'event'`);
  return (await request('GET', '/admin/events', { token })).body.items[0].id;
}

const secretsOf = (app: TestApp, to: string) => ({ token: secretsTo(app, to).token });

/** As long as those of browsers: Node takes no shorter ones. */
const boundary = '----WebKitFormBoundary7MA4YWxkTrZu0gW';

/** A body of each type that is documented. */
function encode(type: string, value: unknown): { body: unknown; headers: Record<string, string> } {
  const fields = Object.entries(typeof value === 'object' && value !== null ? value : {});
  if (type === 'application/x-www-form-urlencoded')
    return { body: new URLSearchParams(fields).toString(), headers: { 'Content-Type': type } };
  if (type !== 'multipart/form-data') return { body: value, headers: { 'Content-Type': type } };
  const parts = fields.map(
    ([name, text]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`,
  );
  return { body: `${parts.join('')}--${boundary}--\r\n`, headers: { 'Content-Type': `${type}; boundary=${boundary}` } };
}

/** The fields that only this service can fill, filled. */
const withSecrets = (value: unknown, secrets: World['secrets']) =>
  Object.fromEntries(
    Object.entries(typeof value === 'object' && value !== null ? value : {}).map(([name, given]) => [
      name,
      // An email is replaced only where it goes with a code.
      name === 'email' && !Object.hasOwn(Object(value), 'code') ? given : (secrets[name] ?? given),
    ]),
  );

describe('the examples of the OpenAPI document', () => {
  const counted = new Set<string>();
  const clock = createClock();
  let app: TestApp;
  let operations: Operation[];
  let check: ReturnType<typeof createChecker>;

  beforeAll(async () => {
    const kv = noting(createMemoryKeyValue({ now: clock.now }), counted);
    const variables = { ...wide, ...webhooks('sink'), ...withMetrics };
    app = await testApp({ databaseUrl: await createDatabase(), variables, clock, kv, sinks: [sink] });
    const document = await readDocument(app);
    operations = operationsOf(document);
    check = createChecker(document);
    return () => app.close();
  });

  /** Everything that is wrong with an answer after the document. */
  function faults({ responses }: Operation, { status, headers, body }: Answer): string[] {
    const described = responses[status];
    if (described === undefined) return [`status ${status} is not described: ${JSON.stringify(body)}`];
    const missing = Object.keys(described.headers)
      .filter((name) => !headers.has(name))
      .map((name) => `no header ${name} on ${status}`);
    const type = headers.get('Content-Type')?.split(';')[0];
    if (type === undefined) return [...missing, ...(described.content === undefined ? [] : ['no content'])];
    const media = described.content?.[type];
    if (media === undefined) return [...missing, `${type} is not described for ${status}`];
    return [...missing, ...check(media.schema, body)];
  }

  it('fit the schemas they stand for, and no body or answer is without', () => {
    expect(operations.length).toBeGreaterThan(70);
    const wrong = operations.flatMap(({ operationId, requestBody, responses }) => {
      const media = [...Object.values(responses), requestBody].flatMap((each) => Object.entries(each?.content ?? {}));
      return media.flatMap(([type, each]) => {
        if (each === undefined || !type.endsWith('json')) return [];
        const examples = examplesOf(each);
        if (examples.length === 0) return [`${operationId}: no example of ${type}`];
        return examples.flatMap((value) => check(each.schema, value).map((fault) => `${operationId} ${type} ${fault}`));
      });
    });
    expect(wrong).toEqual([]);
  });

  it('can be sent, and each answer is as it is described', async () => {
    const wrong: string[] = [];
    for (const operation of operations) {
      const { method, path, parameters = [], requestBody, security } = operation;
      const name = `${method} ${path}`;
      const needsToken = security.length > 0;
      const declared = (operation['x-rate-limits'] ?? []).map(({ policy }) => policy);
      const hit = new Set<string>();
      let sent = 0;
      let world: World | undefined;
      let isUsedUp = false;
      const send = async (make: Make, isMade: 'as it stands' | 'for this world' = 'for this world') => {
        if (world === undefined || isUsedUp) world = await createWorld(app, operation);
        isUsedUp = false;
        const { target, ...parts } = make(world);
        counted.clear();
        if (isMade === 'for this world' && method !== 'GET') isUsedUp = true;
        const answer = await app.request(method, target, { ...parts, token: needsToken ? world.token : undefined });
        for (const policy of counted) hit.add(policy);
        sent += 1;
        if (isMade === 'for this world' && answer.status >= 300)
          wrong.push(`${name} did not succeed: ${answer.status}`);
        wrong.push(...faults(operation, answer).map((fault) => `${name}: ${fault}`));
      };

      const inPath = parameters.filter((each) => each.in === 'path');
      const filled = (values: Readonly<Record<string, unknown>>) =>
        inPath.reduce(
          (at, each) => at.replace(`{${each.name}}`, String(values[each.name] ?? each.schema.examples?.[0])),
          path,
        );
      const asItStands = filled({});
      const real = ({ id }: World) => filled({ id });
      const bodies = Object.entries(requestBody?.content ?? {}).flatMap(([type, media]) =>
        examplesOf(media).map((value) => ({ type, value })),
      );
      if (bodies.length === 0) {
        if (asItStands !== path) await send(() => ({ target: asItStands }), 'as it stands');
        await send((there) => ({ target: real(there) }));
      }
      for (const { type, value } of bodies) {
        const hasSecrets = /"(token|refresh_token|code)":/.test(JSON.stringify(value));
        if (hasSecrets || asItStands !== path)
          await send(() => ({ target: asItStands, ...encode(type, value) }), 'as it stands');
        await send((there) => ({ target: real(there), ...encode(type, withSecrets(value, there.secrets)) }));
        if (parameters.some((each) => each.name === 'X-Device-Token')) {
          await send((there) => {
            const { body, headers } = encode(type, value);
            return { target: path, body, headers: { ...headers, 'X-Device-Token': there.device } };
          });
        }
      }
      for (const { name: parameter, schema } of parameters.filter((each) => each.in === 'query')) {
        for (const value of schema.examples ?? [])
          await send((there) => ({ target: `${real(there)}?${parameter}=${encodeURIComponent(String(value))}` }));
      }
      if (needsToken && !security.some((each) => Object.keys(each).length === 0)) {
        const answer = await app.request(method, asItStands);
        wrong.push(
          ...(answer.status === 401 ? faults(operation, answer) : ['401 expected']).map((each) => `${name}: ${each}`),
        );
      }
      if (sent === 0) wrong.push(`${name} was not sent`);
      // The contract declares what `prepare` counts: the compiler refuses more, and here nothing is declared in vain.
      const told = [...hit].toSorted();
      if (told.join() !== declared.toSorted().join()) wrong.push(`${name} declares ${declared} and counts ${told}`);
    }
    expect(wrong).toEqual([]);
  });
});
