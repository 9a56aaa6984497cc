import { defineConfig } from 'vitest/config';

/**
 * `npm run test:broker`: what needs a broker of its own, to stop, kill and starve it, and the consumers under `examples/`.
 * Apart from `npm test`, since starting one takes longer than all the rest of a file.
 */
export default defineConfig({
  test: {
    include: ['test/**/*.broker.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    // A broker, a database and a simulator at once are too much for two cores.
    fileParallelism: false,
  },
});
