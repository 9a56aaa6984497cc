import { defineConfig } from 'vitest/config';

/**
 * `npm run test:broker`: what needs a RabbitMQ of its own, to stop, kill and starve it. Apart from `npm test`, since
 * starting one takes longer than all the rest of a file.
 */
export default defineConfig({
  test: {
    include: ['test/**/*.broker.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // They share one broker, which some of them stop.
    fileParallelism: false,
  },
});
