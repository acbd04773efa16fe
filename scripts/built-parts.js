/**
 * Parts of `dist` that are built by themselves, and whether each is as new as what it is made of.
 *
 * A stamp holds how new the newest source was before the build, so that a file which changed meanwhile counts as newer. Stamps lie in
 * `node_modules/.cache`: a fresh `npm ci` leaves none but those of the build that it runs.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** By the argument of `scripts/build.js` that builds it: the folders it is made of, and a file that is there once it was built. */
const parts = {
  '--js': { sources: ['src', 'worker', 'scheduler'], proof: 'dist/cli/main.js' },
  '--types': { sources: ['src'], proof: 'dist/index.d.ts' },
  '--web': { sources: ['web', 'src/model', 'src/base'], proof: 'dist/web/index.html' },
  '--notices': { sources: ['src', 'worker', 'scheduler', 'web'], proof: 'dist/THIRD_PARTY_NOTICES.txt' },
};

export function isFresh(flag) {
  try {
    statSync(join(root, parts[flag].proof));
    return Number(readFileSync(stampOf(flag), 'utf8')) >= newestSource(flag);
  } catch {
    return false;
  }
}

export function beginBuild(flags) {
  const newest = flags.map((flag) => [flag, newestSource(flag)]);
  return () => {
    for (const [flag, time] of newest) {
      mkdirSync(dirname(stampOf(flag)), { recursive: true });
      writeFileSync(stampOf(flag), String(time));
    }
  };
}

function stampOf(flag) {
  return join(root, 'node_modules', '.cache', `batuta-built${flag}`);
}

function newestSource(flag) {
  const files = parts[flag].sources
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const build = [join(root, 'scripts', 'build.js'), join(root, 'package-lock.json')];
  return Math.max(...[...files, ...build].map((path) => statSync(path).mtimeMs));
}
