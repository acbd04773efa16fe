/** Values of secrets and variables given to a command: from standard input, a file, a prompt, or the command line. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BatutaError } from '../base/errors.ts';
import type { CommandContext } from './context.ts';
import { usage } from './read-options.ts';

/**
 * A secret value: `-` reads standard input, `@path` a file; if left out, it is prompted for on a terminal, else read from standard input.
 * One trailing line break is not part of it.
 *
 * @param what names it, e.g. `secret 'stripe'`
 * @throws BatutaError USAGE (anything else, which would be in the shell's history), OPTION_INVALID (too large), FILE_NOT_FOUND
 */
export async function readSecretGiven(context: CommandContext, what: string, from: string | undefined, maxBytes: number): Promise<string> {
  const { input } = context.terminal;
  if (from === undefined && input.isTty) return input.readHidden(`Value of ${what} (not shown): `);
  if (from === undefined || from === '-') return withoutBreak(await input.readAll(maxBytes + 2));
  if (from.startsWith('@')) return withoutBreak(await readGivenFile(context, from.slice(1), maxBytes + 2));
  throw usage(
    `A value on the command line is kept in the history of the shell and shown in the list of processes. Leave it out to be asked for it, give - for standard input or @path for a file; --value sets it here anyway.`,
  );
}

/** A value that is not secret: `-` standard input, `@path` a file, else the text itself. @throws BatutaError OPTION_INVALID, FILE_NOT_FOUND */
export async function readPlainGiven(context: CommandContext, given: string, maxBytes: number): Promise<string> {
  if (given === '-') return withoutBreak(await context.terminal.input.readAll(maxBytes + 2));
  return given.startsWith('@') ? withoutBreak(await readGivenFile(context, given.slice(1), maxBytes + 2)) : given;
}

async function readGivenFile({ terminal }: CommandContext, path: string, maxBytes: number): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(resolve(terminal.cwd, path));
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : `cannot be read (${(cause as Error).message})`;
    throw new BatutaError('FILE_NOT_FOUND', `The file ${path} ${why}.`, { cause });
  }
  if (bytes.length > maxBytes)
    throw new BatutaError('OPTION_INVALID', `The file ${path} has ${bytes.length} bytes; at most ${maxBytes - 2} are taken.`);
  return bytes.toString('utf8');
}

function withoutBreak(text: string): string {
  return text.replace(/\r?\n$/, '');
}
