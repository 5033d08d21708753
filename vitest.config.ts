import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{unit,scenarios,conformance,simulation}/**/*.test.ts'],
    environment: 'node',
    testTimeout: 30_000,
    allowOnly: false,
  },
})
