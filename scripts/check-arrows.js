/**
 * Runs dependency-cruiser over the rooms of the folder it is started in (rules: `.dependency-cruiser.cjs`).
 *
 * TypeScript 7 has no JavaScript API yet and dependency-cruiser reads sources through that API, so inside this process
 * the name `typescript` stands for the 5.9 that is installed beside it. Without it nothing would be read and everything
 * would pass, hence a test plants forbidden imports and sees them found.
 */
import { existsSync } from 'node:fs';
import Module, { register } from 'node:module';

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  return resolveFilename.call(this, name.replace(/^typescript(?=\/|$)/, 'typescript59'), ...rest);
};
const hook = `export const resolve = (name, context, next) => next(name === 'typescript' ? 'typescript59' : name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const folders = ['src', 'worker', 'scheduler', 'flows', 'bench', 'web'].filter((folder) => existsSync(folder));
process.argv.push('--config', '.dependency-cruiser.cjs', '--output-type', 'err-long', ...folders);
await import(new URL('../node_modules/dependency-cruiser/bin/dependency-cruise.mjs', import.meta.url).href);
