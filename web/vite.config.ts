/**
 * Builds the dashboard into `dist/web`: hashed files, no inline script or style, nothing from another origin.
 *
 * While developing, `npx vite web` serves it and hands `/api` to a server that runs beside it (`batuta server`).
 */
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** First load of the home page, script only. */
const maxFirstLoadBytes = 400_000;

export default defineConfig({
  root: import.meta.dirname,
  // Counts from the `base` of the page, which the server writes.
  base: './',
  plugins: [react(), firstLoad()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    // A strict `default-src 'self'` refuses data: addresses, and the polyfill would be an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
    // What most pages share is one file: many small ones wait for each other.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'shared', minShareCount: 4 }] } } },
  },
  server: { proxy: { '/api': { target: 'http://127.0.0.1:4200', changeOrigin: true, headers: { origin: 'http://127.0.0.1:4200' } } } },
});

/** Prints how much script the home page loads at first, and fails the build when it is too much. */
function firstLoad(): Plugin {
  return {
    name: 'first-load',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
      const wanted = chunks.filter((chunk) => chunk.isEntry || chunk.name === 'home-page').map((chunk) => chunk.fileName);
      const seen = new Set<string>();
      for (let file = wanted.pop(); file !== undefined; file = wanted.pop()) {
        if (seen.has(file)) continue;
        seen.add(file);
        wanted.push(...(chunks.find((chunk) => chunk.fileName === file)?.imports ?? []));
      }
      const bytes = chunks.filter((chunk) => seen.has(chunk.fileName)).reduce((sum, chunk) => sum + gzipSync(chunk.code).length, 0);
      const line = `first load of the dashboard: ${(bytes / 1000).toFixed(1)} kB of script (gzip), ${maxFirstLoadBytes / 1000} kB allowed`;
      if (bytes > maxFirstLoadBytes) this.error(line);
      process.stdout.write(`${line}\n`);
    },
  };
}
