import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { assembleDocs } from './dev/assemble-docs.ts';
import { quietWorkerd } from './test/support/quiet-workerd.ts';

// wrangler.toml names the directory.
assembleDocs();
quietWorkerd();

/** Ends a test that hangs. No test waits for time: one on a busy machine gets as long as it needs. */
const hangs = { testTimeout: 240_000, hookTimeout: 240_000 };

/**
 * Every `*.test.ts` runs twice: in workerd and on Node. A file that makes sense on one runtime only is named
 * `*.node.test.ts` or `*.workerd.test.ts` and says why in its first lines.
 */
export default defineConfig({
  test: {
    globalSetup: './test/support/global-setup.ts',
    // No test leaves anything behind in a module, and loading them anew for each file would take half of the time.
    isolate: false,
    // One sign for each test; a failure is printed in full.
    reporters: ['dot'],
    // A worker that has much to end on a busy machine is not cut off.
    teardownTimeout: 120_000,
    // A condition that does not come true within a minute does not come true.
    expect: { poll: { timeout: 60_000, interval: 20 } },
    // One more than cores: many tests wait for a process or a clock.
    maxWorkers: 3,
    // `npm run test:coverage`: of both runtimes together. V8's own measurement does not reach into workerd.
    coverage: {
      provider: 'istanbul',
      include: ['src/**/*.ts'],
      // Entries and commands run in processes of their own, which are not measured.
      exclude: ['src/node.ts', 'src/worker.ts', 'src/cli/**', 'src/node/**', '**/*.d.ts'],
      reporter: ['text-summary', 'html'],
      reportsDirectory: 'dist/coverage',
      thresholds: { statements: 85, branches: 75, functions: 85, lines: 85 },
    },
    projects: [
      {
        extends: true,
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml', environment: 'dev' } })],
        test: {
          name: 'workerd',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.node.test.ts'],
          ...hangs,
        },
      },
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.workerd.test.ts', 'test/dev/**', 'test/e2e/**'],
          ...hangs,
        },
      },
      {
        extends: true,
        test: {
          name: 'dev',
          include: ['test/dev/**/*.test.ts'],
          // The query builder changes the parsers of the Neon driver for its whole process; these look at the bare driver.
          isolate: true,
          ...hangs,
        },
      },
      {
        extends: true,
        // Starts what people start: slow, and not of `npm test` but of `npm run test:e2e`.
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          isolate: true,
          ...hangs,
        },
      },
    ],
  },
});
