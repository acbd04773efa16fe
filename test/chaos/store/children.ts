/** Scripts of this folder made ready to run as processes of their own. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const cache = fileURLToPath(new URL('../../../node_modules/.cache/batuta-chaos', import.meta.url));

/** Path of the script as JavaScript, and what removes it. Stands inside the project, where its packages are found. */
export async function compileScript(name: string): Promise<{ readonly path: string; remove(): void }> {
  mkdirSync(cache, { recursive: true });
  const path = join(cache, `${name}-${process.pid}.mjs`);
  await build({
    entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  return { path, remove: () => rmSync(path, { force: true }) };
}
