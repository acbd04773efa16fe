/** Makes the JavaScript in `dist` as new as `src` before tests that start the command line or a worker thread from it. */
import { makeFresh } from './fresh-build.ts';

/** vitest calls this once for each project that names it. */
export async function setup(): Promise<void> {
  await makeFresh('--js');
}
