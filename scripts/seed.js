/** `npm run seed`: compiles bench/seed, which is TypeScript like the store whose tables it fills, and runs it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'node_modules', '.cache', 'batuta-seed');
await mkdir(folder, { recursive: true });
// One file a process: two seeds may run at the same time.
const outfile = join(folder, `seed-${process.pid}.mjs`);
await build({
  entryPoints: [join(root, 'bench', 'seed', 'main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'error',
});
await import(pathToFileURL(outfile).href);
