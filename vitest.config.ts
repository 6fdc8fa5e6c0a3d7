import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.traces.test.ts', 'test/**/*.rig.test.ts'],
          testTimeout: 60_000,
        },
      },
      { test: { name: 'traces', include: ['test/**/*.traces.test.ts'], testTimeout: 300_000 } },
      {
        test: {
          name: 'rig',
          include: ['test/**/*.rig.test.ts'],
          globalSetup: ['test/rig/setup.ts'],
          testTimeout: 600_000,
          fileParallelism: false,
          // Real servers and guests on a busy machine: a lock or a balloon may be late once.
          retry: 2,
        },
      },
    ],
  },
});
