/** One invocation of the command line: read the arguments, run the command, report errors, return the exit status. */
import { CommanderError } from 'commander';
import { systemClock } from '../base/clock.ts';
import { loadEnvFile } from '../base/config.ts';
import { BatutaError } from '../base/errors.ts';
import type { CommandContext, ExitStatus } from './context.ts';
import { type Invoke, makeProgram } from './program.ts';
import { reportError } from './print.ts';
import { openTerminal } from './terminal.ts';

export { endProcess } from '../base/end-process.ts';

/** Runs one command line, passed without `node` and the script; resolves once its output is written. */
export async function runCli(args: readonly string[]): Promise<ExitStatus> {
  const terminal = openTerminal();
  let status: ExitStatus = 0;
  let verbose = args.includes('--verbose');
  const perform: Invoke = async (command, globals) => {
    verbose = globals.verbose;
    const context: CommandContext = { terminal, clock: systemClock, globals };
    status = await command(context);
  };
  const program = makeProgram(terminal, perform, args[0]);
  try {
    loadEnvFile(terminal.cwd);
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    status = error instanceof CommanderError ? statusOfCommander(error, terminal) : reportError(error, terminal, { verbose });
  }
  await terminal.drain();
  return status;
}

/** Help and version are not failures; everything else commander reports is wrong usage. */
function statusOfCommander(error: CommanderError, terminal: Parameters<typeof reportError>[1]): ExitStatus {
  if (error.exitCode === 0) return 0;
  const message = error.message
    .replace(/^error: /, '')
    .replace(/\n\((.*)\)$/, ' ($1)')
    .trim();
  return reportError(new BatutaError('USAGE', /[.?!)]$/.test(message) ? message : `${message}.`), terminal, { verbose: false });
}
