/** The tree of commands: their arguments, options and help. What they do is loaded once one is chosen. */
import { Command, Help } from 'commander';
import type { GlobalOptions } from './context.ts';
import { declareBackfillCommands } from './declare-backfill.ts';
import { declareDeploymentCommands } from './declare-deployment.ts';
import { declareFleetCommands } from './declare-fleet.ts';
import { declareKeyCommands } from './declare-key.ts';
import { declareFlowCommands } from './declare-flow.ts';
import { declareLimitCommands } from './declare-limit.ts';
import { declareProjectCommands } from './declare-project.ts';
import { declareRunCommand } from './declare-run.ts';
import { declareRunsCommands } from './declare-runs.ts';
import { declareScheduleCommands } from './declare-schedule.ts';
import { packageVersion } from '../base/installed.ts';
import { refuseUnknownCommand } from './make-group.ts';
import type { Action, Perform } from './perform.ts';
import type { Terminal } from './terminal.ts';

/** Hands an action to whoever runs it. */
export type Invoke = (action: Action, globals: GlobalOptions) => Promise<void>;
/** The program, ready to parse. Its errors are thrown as `CommanderError`, its help goes to the terminal. */
export function makeProgram(terminal: Terminal, invoke: Invoke): Command {
  const program = new Command('batuta')
    .description('Runs workflows written as TypeScript classes.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .option('--verbose', 'print the stack of an error', false)
    .option('--database-url <url>', 'sqlite:<path> or postgres://… (BATUTA_DATABASE_URL)')
    .option('--flows <paths>', 'folders or files that hold flows (BATUTA_FLOWS)')
    .option('--log-level <level>', 'least that is logged (BATUTA_LOG_LEVEL)')
    .option('--log-format <format>', 'pretty or json (BATUTA_LOG_FORMAT)')
    .configureHelp({
      showGlobalOptions: true,
      helpWidth: terminal.out.isTty ? terminal.out.columns : 100,
      // That nothing is given by default goes without saying.
      optionDescription: (option) => new Help().optionDescription(option).replace(/ \(default: (?:\[\]|false)\)$/, ''),
    })
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      outputError: () => {},
    })
    .exitOverride();
  const perform: Perform = (command, action) => invoke(action, command.optsWithGlobals<GlobalOptions>());
  declareProjectCommands(program, perform);
  declareRunCommand(program, perform);
  declareRunsCommands(program, perform);
  declareFlowCommands(program, perform);
  declareDeploymentCommands(program, perform);
  declareBackfillCommands(program, perform);
  declareFleetCommands(program, perform);
  declareKeyCommands(program, perform);
  declareLimitCommands(program, perform);
  declareScheduleCommands(program, perform);
  return program.allowExcessArguments().action(() => {
    refuseUnknownCommand(program);
    terminal.out.write(program.helpInformation());
  });
}
