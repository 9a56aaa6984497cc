import { beforeAll, describe, expect, it } from 'vitest';
import type { KeyValue } from '../../src/kv.ts';
import { createMemoryKeyValue } from '../../src/platform/memory.ts';
import { registerAdmin } from '../support/admin.ts';
import { createChecker, examplesOf, type Operation, operationsOf, readDocument } from '../support/openapi.ts';
import { metricsToken, withMetrics } from '../support/prometheus.ts';
import {
  type Answer,
  createClock,
  createDatabase,
  type RequestOptions,
  type TestApp,
  testApp,
} from '../support/test-app.ts';

/** Statuses that need a state of their own, which the tests of their features make. */
const ofTheirOwn = new Set(['304', '403', '409', '410', '412', '500', '503']);
const json = 'application/json';

interface Sent extends RequestOptions {
  readonly path: string;
}

/** The store, which refuses everything that is limited while it is told to. */
function refusing(kv: KeyValue, isOn: () => boolean): KeyValue {
  return {
    ...kv,
    run: async (operations) => {
      const results = await kv.run(operations);
      if (!isOn()) return results;
      return results.map((result, index) =>
        operations[index]?.type === 'limit' ? { ...Object(result), success: false } : result,
      ) as unknown as typeof results;
    },
  };
}

describe('the refusals of the OpenAPI document', () => {
  const clock = createClock();
  let isFull = false;
  let app: TestApp;
  let admin: string;
  let refresh: string;
  let operations: Operation[];
  let check: ReturnType<typeof createChecker>;

  beforeAll(async () => {
    const kv = refusing(createMemoryKeyValue({ now: clock.now }), () => isFull);
    const databaseUrl = await createDatabase();
    app = await testApp({ databaseUrl, variables: { ...withMetrics, LIMIT_READ_USER: '100000/1' }, clock, kv });
    const document = await readDocument(app);
    operations = operationsOf(document);
    check = createChecker(document);
    ({ access: admin, refresh } = await registerAdmin(app));
    return () => app.close();
  });

  /** The body that an operation describes. */
  const exampleOf = ({ requestBody }: Operation): Record<string, unknown> | undefined =>
    Object.values(requestBody?.content ?? {})
      .flatMap(examplesOf)
      .map(Object)[0];

  /** What anybody can send to an operation that it has to refuse. */
  function refused(operation: Operation): Sent[] {
    const { parameters = [], requestBody } = operation;
    const at = operation.path.replaceAll(/\{\w+\}/g, crypto.randomUUID());
    const example = exampleOf(operation);
    const usual = example === undefined ? {} : { body: example };
    const sent: Sent[] = [
      { path: operation.path.replaceAll(/\{\w+\}/g, 'x'), token: admin, ...usual },
      { path: at, ...usual },
      { path: at, token: 'x', ...usual },
      { path: at, token: 'x', body: { ...example, password: 'not the password', refresh_token: undefined } },
    ];
    if (parameters.some(({ in: place }) => place === 'query')) sent.push({ path: `${at}?unknown=1`, token: admin });
    if (requestBody === undefined) return sent.filter(({ body }) => body === undefined);
    const raw = (body: string, type = json) => ({ path: at, token: admin, body, headers: { 'Content-Type': type } });
    return [...sent, raw('{'), raw('{}', 'text/plain'), raw('[]'), raw(`"${'x'.repeat(70_000)}"`)];
  }

  it('are answered as described, with every header, and none is described in vain', { timeout: 120_000 }, async () => {
    const wrong: string[] = [];
    for (const operation of operations) {
      const { method, path, responses, security, operationId } = operation;
      const seen = new Set<string>();
      const look = (answer: Answer) => {
        const status = String(answer.status);
        seen.add(status);
        const described = responses[status];
        const type = answer.headers.get('Content-Type') ?? '';
        const media = described?.content?.[type];
        if (answer.status < 400 && described !== undefined) return;
        const missing = Object.keys(described?.headers ?? {}).filter((name) => !answer.headers.has(name));
        const faults = media === undefined ? [`${type} is not described`] : check(media.schema, answer.body);
        wrong.push(...[...missing, ...faults].map((fault) => `${method} ${path} ${status}: ${fault}`));
      };
      for (const { path: target, ...sent } of refused(operation)) look(await app.request(method, target, sent));
      isFull = true;
      const token = security.some((each) => 'metrics' in each) ? metricsToken : admin;
      const example = exampleOf(operation);
      // A forged one is refused before anything is counted.
      const ours = example !== undefined && 'refresh_token' in example ? { refresh_token: refresh } : {};
      const at = path.replaceAll(/\{\w+\}/g, crypto.randomUUID());
      look(
        await app.request(method, at, {
          token,
          ...(example === undefined ? {} : { body: { ...example, ...ours } }),
        }),
      );
      isFull = false;
      const unseen = Object.keys(responses).filter(
        (status) => status >= '400' && !seen.has(status) && !ofTheirOwn.has(status),
      );
      // Without METRICS_TOKEN.
      if (operationId !== 'metrics' && unseen.length > 0) wrong.push(`${operationId}: ${unseen.join()} was not seen`);
    }
    expect(wrong).toEqual([]);
  });
});
