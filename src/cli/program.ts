/** The tree of commands: arguments, options and help. A command's code is loaded once it is chosen. */
import { Command, Help } from 'commander';
import type { GlobalOptions } from './context.ts';
import { declareBackfillCommands, declareDeploymentCommands } from './declare-deployment.ts';
import { declareEventCommands } from './declare-events.ts';
import { declareWebhookCommands } from './declare-webhooks.ts';
import { declareFleetCommands } from './declare-fleet.ts';
import { declareAlertCommands, declareErrorCommands } from './declare-alerts.ts';
import { declareArtifactCommands } from './declare-artifacts.ts';
import { declareCacheCommands } from './declare-cache.ts';
import { declareInboxCommands } from './declare-inbox.ts';
import { declareKeyCommands, declareLimitCommands, declareProjectCommands } from './declare-project.ts';
import { declareFlowCommands, declareScheduleCommands } from './declare-flow.ts';
import { declareConnectionCommands, declareSecretCommands, declareVariableCommands } from './declare-secrets.ts';
import { declareRunCommand, declareRunsCommands } from './declare-runs.ts';
import { packageVersion } from '../base/installed.ts';
import { programName } from '../base/program-name.ts';
import { addExamples } from './examples.ts';
import { type Action, type Perform, refuseUnknownCommand } from './declare.ts';
import type { Terminal } from './terminal.ts';

/** Runs an action. */
export type Invoke = (action: Action, globals: GlobalOptions) => Promise<void>;
/** The program, ready to parse. Errors are thrown as `CommanderError`; help goes to the terminal. */
export function makeProgram(terminal: Terminal, invoke: Invoke): Command {
  const program = new Command(programName())
    .description('Runs workflows written as TypeScript classes.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .option('--verbose', 'print the stack of an error', false)
    .option('--database-url <url>', 'sqlite:<path> or postgres://… (BATUTA_DATABASE_URL; default: sqlite:.batuta/batuta.db)')
    .option('--flows <paths>', 'folders or files that hold flows (BATUTA_FLOWS; default: flows)')
    .option('--log-level <level>', 'least that is logged (BATUTA_LOG_LEVEL; default: info)')
    .option('--log-format <format>', 'pretty or json (BATUTA_LOG_FORMAT; default: pretty on a TTY, else json)')
    .configureHelp({
      showGlobalOptions: true,
      helpWidth: terminal.out.isTty ? terminal.out.columns : 100,
      // An empty default is not worth printing.
      optionDescription: (option) => new Help().optionDescription(option).replace(/ \(default: (?:\[\]|false)\)$/, ''),
    })
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      outputError: () => {},
    })
    .exitOverride();
  const perform: Perform =
    (load) =>
    (...given) => {
      const [command] = given.splice(-2).slice(1) as [Command];
      const { parent } = command;
      // An option that the group also has is read by the group, wherever it is given.
      const options = { ...command.opts(), ...(parent === program ? {} : parent?.opts()) };
      return invoke(async (context) => (await load())(context, ...(given as never[]), options as never), command.optsWithGlobals());
    };
  declareProjectCommands(program, perform);
  declareRunCommand(program, perform);
  declareRunsCommands(program, perform);
  declareInboxCommands(program, perform);
  declareFlowCommands(program, perform);
  declareDeploymentCommands(program, perform);
  declareBackfillCommands(program, perform);
  declareFleetCommands(program, perform);
  declareKeyCommands(program, perform);
  declareSecretCommands(program, perform);
  declareVariableCommands(program, perform);
  declareConnectionCommands(program, perform);
  declareLimitCommands(program, perform);
  declareCacheCommands(program, perform);
  declareArtifactCommands(program, perform);
  declareScheduleCommands(program, perform);
  declareEventCommands(program, perform);
  declareWebhookCommands(program, perform);
  declareAlertCommands(program, perform);
  declareErrorCommands(program, perform);
  addExamples(program);
  return program.allowExcessArguments().action(() => {
    refuseUnknownCommand(program);
    terminal.out.write(program.helpInformation());
  });
}
