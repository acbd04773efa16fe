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
type Declare = (program: Command, perform: Perform) => void;

/** In the order of the help. */
const all: readonly Declare[] = [
  declareProjectCommands,
  declareRunCommand,
  declareRunsCommands,
  declareInboxCommands,
  declareFlowCommands,
  declareDeploymentCommands,
  declareBackfillCommands,
  declareFleetCommands,
  declareKeyCommands,
  declareSecretCommands,
  declareVariableCommands,
  declareConnectionCommands,
  declareLimitCommands,
  declareCacheCommands,
  declareArtifactCommands,
  declareScheduleCommands,
  declareEventCommands,
  declareWebhookCommands,
  declareAlertCommands,
  declareErrorCommands,
];

/** Commands that are declared without the others where they come first: the tree takes milliseconds of the commands that people wait for. */
const alone: ReadonlyMap<string, readonly Declare[]> = new Map([
  ['run', [declareRunCommand]],
  ['runs', [declareRunsCommands]],
]);

/**
 * The program, ready to parse. Errors are thrown as `CommanderError`; help goes to the terminal.
 *
 * @param first first argument of the command line
 */
export function makeProgram(terminal: Terminal, invoke: Invoke, first = ''): Command {
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
  for (const declare of alone.get(first) ?? all) declare(program, perform);
  addExamples(program);
  refuseExcess(program);
  return program.allowExcessArguments().action(() => {
    refuseUnknownCommand(program);
    terminal.out.write(program.helpInformation());
  });
}

/** Refuses words after the last argument. Commands of a group inherit that it takes any, in place of a command's name. */
function refuseExcess(parent: Command): void {
  for (const command of parent.commands) {
    if (command.commands.length === 0) command.allowExcessArguments(false);
    refuseExcess(command);
  }
}
