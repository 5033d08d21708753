import { defineConfig } from '@playwright/test'

// One worker, no retries: a test that passes the second time has found something.
export default defineConfig({
  testDir: 'test/browser',
  outputDir: 'out/playwright',
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  reporter: [['list'], ['json', { outputFile: 'out/playwright.json' }]],
  use: { trace: 'off', screenshot: 'off', video: 'off' },
})
