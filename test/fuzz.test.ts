import fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import { runtime } from '#test-runtime';
import { policyNames } from '../src/limits/policies.ts';
import { registerAdmin } from './support/admin.ts';
import { registerUser, type TestApp, testApp } from './support/test-app.ts';

/** 2,000 in CI, for each endpoint on each runtime. */
const numRuns = inject('fuzzRuns');
const wide = Object.fromEntries(policyNames.map((name) => [`LIMIT_${name.toUpperCase()}`, '1000000/1']));

/** What zod says by itself: no message of ours reads like that. */
const wordsOfZod = /^(Invalid (input|option|UUID|ISO|email|URL|string|key)|Too (big|small):|Unrecognized key)/;

/** Text that has broken programs before. */
const oddText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '',
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\udfffa',
    '\u202e',
    '\ufeff',
    '﷽'.repeat(99),
    'e\u0301'.repeat(300),
  ),
  fc.constantFrom("' or 1=1--", '{{7*7}}', '../../etc/passwd', '<script>', '%00', '\r\nSet-Cookie: a=b'),
  fc.constantFrom(
    'ann@example.com',
    'ann@[::1]',
    `${'a'.repeat(64)}@${'b'.repeat(63)}.example`,
    '@',
    'ann',
    'AAAA-AAAA',
  ),
  fc.constantFrom('null', '-0', '1e999', 'NaN', '__proto__', 'constructor', 'toString'),
  fc.integer({ min: 1, max: 4000 }).map((length) => 'x'.repeat(length)),
  fc.uuid(),
);
const oddValue = fc.oneof(
  { weight: 4, arbitrary: oddText },
  fc.jsonValue({ maxDepth: 3 }),
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(null, true, [], {}, [[]], -1, 1e308, 2 ** 53),
);

/** Objects that look like what an endpoint takes, with odd values. */
const oddObject = (names: readonly string[]) =>
  fc.dictionary(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names, '__proto__') }, oddText), oddValue, {
    maxKeys: 8,
  });

const deep = fc
  .tuple(fc.constantFrom(['[', ']'], ['{"a":', '}']), fc.integer({ min: 1, max: 9000 }))
  .map(([[open = '', close = ''], depth]) => `${open.repeat(depth)}1${close.repeat(depth)}`);

const oddBody = (names: readonly string[]) =>
  fc.oneof(
    { weight: 6, arbitrary: oddObject(names).map((object) => JSON.stringify(object)) },
    fc.json(),
    deep,
    oddText,
    fc.constantFrom('{', '{"a":1,}', '{"a":1e400}', '{"password":"\\ud800"}', '\ufeff{}', '[1', 'undefined'),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes)),
    fc
      .dictionary(fc.constantFrom(...names, 'token'), oddText, { maxKeys: 4 })
      .map((fields) =>
        new URLSearchParams(
          Object.entries(fields).map(([name, value]): [string, string] => [name, value.toWellFormed()]),
        ).toString(),
      ),
  );

const types = [
  'application/json',
  'application/json; charset=utf-16',
  'application/merge-patch+json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  '',
  ';',
];
// workerd warns of every header that is not ASCII.
const headerText = fc.string({
  unit: fc.integer({ min: 32, max: runtime.name === 'node' ? 255 : 126 }).map((code) => String.fromCharCode(code)),
  maxLength: 200,
});
const oddHeaders = fc.dictionary(
  fc.constantFrom(
    'If-Match',
    'If-None-Match',
    'Accept-Language',
    'User-Agent',
    'X-Device-Token',
    'Cookie',
    'Origin',
    'X-Request-Id',
    'Range',
  ),
  headerText,
  { maxKeys: 3 },
);
const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.constantFrom('?', '?limit=1e9&limit=2', '?cursor=%ff%fe', '?limit=%', '?cursor[]=a', '?%00=%00'),
  fc
    .tuple(fc.constantFrom('status', 'role', 'created_from', 'email', 'username', 'user', 'type', 'to'), oddText)
    .map(([name, text]) => `?${name}=${encodeURIComponent(text.toWellFormed())}`),
  oddText.map(
    (text) => `?limit=${encodeURIComponent(text.toWellFormed())}&cursor=${encodeURIComponent(text.toWellFormed())}`,
  ),
);

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly string[];
}

/** Every operation that the service describes, and the names of what its body holds. */
async function operations({ request }: TestApp): Promise<Operation[]> {
  const { body } = await request('GET', '/openapi.json');
  const schemas = JSON.stringify(body.components.schemas);
  const names = [...new Set([...schemas.matchAll(/"(\w+)":\{"/g)].map(([, name]) => name ?? ''))];
  const described = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path, fields: names })),
  );
  const pages = ['verify-email', 'choose-password', 'confirm-email-change', 'undo-email-change', 'forgot-password'];
  const pressed = pages.map((page) => ({
    method: 'POST',
    path: `/${page}`,
    fields: ['token', 'email', 'code', 'password'],
  }));
  return [...described, ...pressed];
}

describe('no input', () => {
  it(`of ${numRuns} odd ones to each endpoint is answered with an error of ours`, { timeout: 900_000 }, async () => {
    const app = await testApp({ variables: wide });
    for (const { method, path, fields } of await operations(app)) {
      const isAdministration = path.startsWith('/admin');
      const { access } = await (isAdministration ? registerAdmin(app) : registerUser(app));
      const input = fc.record({
        body: oddBody(fields),
        type: fc.oneof({ weight: 6, arbitrary: fc.constant('') }, fc.constantFrom(...types)),
        query,
        parameter: oddText,
        headers: oddHeaders,
        authorization: fc.oneof(fc.constant(`Bearer ${access}`), headerText, fc.constant('')),
      });
      await fc.assert(
        fc.asyncProperty(input, async ({ body, type, query: search, parameter, headers, authorization }) => {
          const target = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(parameter.toWellFormed()));
          const isForm = !/^\/(admin|auth|users|api)\b/.test(path);
          const usual = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
          const sent = {
            ...headers,
            'Content-Type': type || usual,
            ...(authorization === '' ? {} : { Authorization: authorization }),
          };
          const takesBody = method !== 'GET';
          const { status, body: answer } = await app.request(method, `${target}${search}`, {
            headers: sent,
            ...(takesBody ? { body } : {}),
          });
          if (status >= 500) throw new Error(`${status} ${app.logLines.at(-2)}`);
          const messages: string[] = (answer?.errors ?? []).map(({ message }: { message: string }) => message);
          const foreign = messages.find((text) => wordsOfZod.test(text));
          if (foreign !== undefined) throw new Error(`${path}: ${foreign}`);
        }),
        { numRuns },
      );
    }
    const failures = app.logLines.filter((line) => /unexpected_error|"level":"error"/.test(line));
    expect(failures).toEqual([]);
  });
});
