// On Node only: it reads the source files.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const files = globSync('src/**/*.ts', { cwd: root }).map((file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import\() ?'([^']+)'/g)].map(([, specifier]) => specifier ?? '');
  return { file: file.replace(/^src\//, ''), text, specifiers };
});

/** From low to high: a feature imports those below it, and its own files. */
const features = [
  'crypto',
  'db',
  'limits',
  'audit',
  'email',
  'outbox',
  'events',
  'roles',
  'tokens',
  'sessions',
  'accounts',
  'admin',
  'reseal',
  'compat',
  'pages',
  'scheduled',
];
const featureOf = (file: string) => file.split('/')[0] ?? '';
const isRoutes = (file: string) => /[/-]routes\.ts$/.test(file);

/** The files of `src` that a file imports. */
const importsOf = ({ file, specifiers }: (typeof files)[number]) =>
  specifiers
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => relative(join(root, 'src'), join(root, 'src', dirname(file), specifier)));

describe('the directions of imports', () => {
  it('go down from feature to feature', () => {
    const wrong = files.flatMap((source) => {
      const rank = features.indexOf(featureOf(source.file));
      if (rank === -1) return [];
      const upward = importsOf(source).filter((target) => features.indexOf(featureOf(target)) > rank);
      return upward.map((target) => `${source.file} -> ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('lead to the entries, the application and the platform from the entries only', () => {
    const entries = ['worker.ts', 'node.ts'];
    const wrong = files.flatMap((source) =>
      importsOf(source)
        .filter((target) => entries.includes(target) || target === 'app.ts' || target.startsWith('platform/'))
        .filter(() => !entries.includes(source.file) && !/^(platform|cli|node)\//.test(source.file))
        .map((target) => `${source.file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keep rules and statements apart from HTTP', () => {
    const http = files.filter(({ specifiers }) =>
      specifiers.some((specifier) => /^(hono|@hono)(\/|$)/.test(specifier)),
    );
    const allowed = /^(app|node)\.ts$|^(http|pages|node)\/|[/-]routes\.ts$/;
    expect(http.map(({ file }) => file).filter((file) => !allowed.test(file))).toEqual([]);
    const wrong = files
      .filter(({ file }) => !isRoutes(file) && !file.startsWith('pages/') && features.includes(featureOf(file)))
      .flatMap((source) =>
        importsOf(source)
          .filter((target) => /^http\//.test(target))
          .map(() => source.file),
      );
    expect(wrong).toEqual([]);
  });

  it('keep SQL in stores', () => {
    const allowed = /^(db|platform)\/|[/-]store\.ts$|^audit\/audit\.ts$|^ops\/health\.ts$/;
    const sql = files.filter(({ specifiers }) => specifiers.some((specifier) => /^drizzle-orm/.test(specifier)));
    expect(sql.map(({ file }) => file).filter((file) => !allowed.test(file))).toEqual([]);
  });

  it('keep each SDK in its platform file', () => {
    const sdk =
      /^(pg|redis|@neondatabase\/|@upstash\/|@node-rs\/|@phi-ag\/|resend|nodemailer|amqplib|standardwebhooks|cloudflare:)/;
    const wrong = files.filter(
      ({ file, specifiers }) => !file.startsWith('platform/') && specifiers.some((s) => sdk.test(s)),
    );
    expect(wrong.map(({ file }) => file)).toEqual([]);
  });
});

describe('the source', () => {
  it('reads the environment in the entries and the commands only', () => {
    const readers = files.filter(({ text }) => /process\.env/.test(text)).map(({ file }) => file);
    expect(readers.filter((file) => file !== 'node.ts' && !file.startsWith('cli/'))).toEqual([]);
  });

  it('asks whether the MACs of a secret still count, wherever it verifies one', () => {
    const verifiers = files.filter(({ text }) => /subtle\.verify\('HMAC'/.test(text));
    expect(verifiers.length).toBeGreaterThan(3);
    expect(verifiers.filter(({ text }) => !text.includes('keyring.accepted(')).map(({ file }) => file)).toEqual([]);
  });

  it('asks one clock', () => {
    const allowed = /^(worker|node)\.ts$|^(platform|cli|node)\//;
    const clocks = files.filter(({ text }) => /Date\.now\(|new Date\(\)|performance\.now/.test(text));
    expect(clocks.map(({ file }) => file).filter((file) => !allowed.test(file))).toEqual([]);
  });

  it('carries context along with a request in one file, which keeps the request out of it', () => {
    const carriers = files.filter(({ text }) => /AsyncLocalStorage|async_hooks|context-storage/.test(text));
    expect(carriers.map(({ file }) => file)).toEqual(['ops/observation.ts']);
  });

  it('imports zod so that bundlers can leave out what is not used', () => {
    const whole = files.filter(({ text }) => /import (?:\{|z\b).*from 'zod'/.test(text));
    expect(whole.map(({ file }) => file)).toEqual([]);
  });

  it('consists of files that can be read in one sitting', () => {
    const long = files.filter(({ text }) => text.split('\n').length > 200).map(({ file }) => file);
    expect(long).toEqual([]);
  });
});
