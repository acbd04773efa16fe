/** Makes the declarations as new as `src` before tests that compile against them. */
import { makeFresh } from './fresh-build.ts';

/** vitest calls this once for each project that names it. */
export async function setup(): Promise<void> {
  await makeFresh('--types');
}
