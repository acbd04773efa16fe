/** Finds the user's own code in stacks. */
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFolder } from './installed.ts';

/** A place in the user's code. */
export interface Frame {
  /** Absolute path. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const framePattern = /(?:\(|^at (?:async )?)((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()]*?):(\d+):(\d+)\)?$/;

/** First frame of a stack that is neither Node's, a package's, nor Batuta's; null if there is none. */
export function userFrame(stack: string | null): Frame | null {
  for (const text of (stack ?? '').split('\n')) {
    const match = /^\s*at /.test(text) ? framePattern.exec(text.trim()) : null;
    if (!match?.[1]) continue;
    const file = match[1].startsWith('file://') ? fileURLToPath(match[1]) : match[1];
    if (!isUserFile(file)) continue;
    return { file, line: Number(match[2]), column: Number(match[3]) };
  }
  return null;
}

/** The lines of a stack, unindented: messages and causes, and the frames in the user's own code. */
export function userLines(stack: string): string[] {
  const lines = stack.split('\n').map((line) => line.trim());
  return lines.filter((line) => !line.startsWith('at ') || userFrame(line) !== null);
}

function isUserFile(file: string): boolean {
  const path = file.replaceAll('\\', '/');
  const own = packageFolder().replaceAll('\\', '/');
  return isAbsolute(file) && !path.includes('/node_modules/') && !path.startsWith(`${own}/src/`) && !path.startsWith(`${own}/dist/`);
}
