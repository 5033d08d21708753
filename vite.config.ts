import { defineConfig } from 'vite'

// The demo, and the server under the browser tests. The library itself is built by `tsc -b` alone.
export default defineConfig({
  base: './',
  build: { outDir: 'dist-demo', target: 'es2022' },
  worker: { format: 'es' },
  // One dependency is CommonJS and must be converted. All others are served as they are: a dependency discovered late would
  // reload every page.
  optimizeDeps: { noDiscovery: true, include: ['simple-peer/simplepeer.min.js'] },
})
