/** The library as it is built, with the places taken out where metrics and traces are hooked in: what they cost while both are off. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './measure.js';

/** What is asked before something is reported, and what it is where nobody asks. */
const hooks = [
  [/(?:[\w$#]+\.)*#?lifecycle\d*\.(?:isHeard|isObserved)\b/g, 'false'],
  [/(?:[\w$#]+\.)*services\d*\.tracer\b/g, 'null'],
];
const leftOut = /\/dist\/(?:web|static|cjs)(?:\/|$)|\.d\.ts$/;

/** Calls `use` with a folder that is laid out as this repository and has `dist` and `bench` in it, and removes it. */
export async function withoutHooks(use) {
  const folder = join(root, 'node_modules', '.cache', 'batuta-bench', `hookless-${process.pid}`);
  try {
    mkdirSync(folder, { recursive: true });
    for (const name of ['dist', 'bench'])
      cpSync(join(root, name), join(folder, name), { recursive: true, filter: (path) => !leftOut.test(path) });
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    let found = 0;
    const names = readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' });
    for (const path of names.filter((name) => name.endsWith('.js')).map((name) => join(folder, 'dist', name))) found += takeOut(path);
    if (found < 10)
      throw new Error(
        `Of the places where metrics and traces are hooked in ${found} were found; bench/hookless.js has to learn their form.`,
      );
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function takeOut(path) {
  let found = 0;
  let text = readFileSync(path, 'utf8');
  for (const [hook, instead] of hooks)
    text = text.replaceAll(hook, () => {
      found++;
      return instead;
    });
  if (found > 0) writeFileSync(path, text);
  return found;
}
