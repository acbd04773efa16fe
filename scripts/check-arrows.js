/**
 * Runs dependency-cruiser over the rooms (rules: `.dependency-cruiser.cjs`).
 *
 * TypeScript 7 has no JavaScript API yet and dependency-cruiser reads sources through that API, so inside this process
 * the name `typescript` stands for the 5.9 that is installed beside it.
 */
import Module, { register } from 'node:module';

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  return resolveFilename.call(this, name.replace(/^typescript(?=\/|$)/, 'typescript59'), ...rest);
};
const hook = `export const resolve = (name, context, next) => next(name === 'typescript' ? 'typescript59' : name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

await import(new URL('../node_modules/dependency-cruiser/bin/dependency-cruise.mjs', import.meta.url).href);
