/** `batuta completion`: the script a shell reads to complete commands and options. */
import type { Command } from 'commander';
import { completionScript, type Shell } from '../completion.ts';
import type { CommandContext, ExitStatus } from '../context.ts';

/** Prints the script for a shell, built from all commands of the program. */
export const printCompletion =
  (program: Command) =>
  async ({ terminal: { out } }: CommandContext, shell: Shell): Promise<ExitStatus> => {
    out.write(completionScript(program, shell));
    return 0;
  };
