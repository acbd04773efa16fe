import type { CommandContext } from './context.ts';
import { OutputCapture } from './output-capture.ts';

/** Loads files of the user while what they print as they load goes to standard error, so that the answer stands alone on standard output. */
export async function loadQuietly<T>({ terminal }: CommandContext, load: () => Promise<T>): Promise<T> {
  const capture = new OutputCapture([process.stdout], terminal.err.write);
  try {
    return await load();
  } finally {
    capture.stop();
  }
}
