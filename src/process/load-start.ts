/** Finds the processes built on the library, `worker/` and `scheduler/`, which it does not depend on. */
import { pathToFileURL } from 'node:url';
import { builtFile } from '../base/installed.ts';

/** What `dist/<name>/main.js` exports as `start`. */
export async function loadStart<Start>(name: 'worker' | 'scheduler'): Promise<Start> {
  const module = (await import(pathToFileURL(builtFile(`${name}/main.js`)).href)) as { readonly start: Start };
  return module.start;
}
