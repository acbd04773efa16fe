/** What the declarations of commands share. */
import type { Command } from 'commander';
import { hintFor } from '../base/nearest.ts';
import { programName } from '../base/program-name.ts';
import type { CommandContext, ExitStatus } from './context.ts';

/** A command once its arguments are known. */
export type Action = (context: CommandContext) => Promise<ExitStatus>;

/**
 * Makes an action for commander of code that is loaded once its command is chosen: it gets the context, the arguments and the options,
 * those of a group that has any among them.
 */
export type Perform = (
  load: () => Promise<(context: CommandContext, ...given: never[]) => Promise<ExitStatus>>,
) => (...given: unknown[]) => Promise<void>;

/** A command that only holds others; called alone, or with a name it does not know, it says which there are. */
export function makeGroup(program: Command, name: string, description: string): Command {
  const group = program.command(name).description(description).usage('<command> [options]').allowExcessArguments();
  return group.action(() => {
    refuseUnknownCommand(group);
    group.error(`${programName()} ${name} needs one of: ${namesOf(group).join(', ')}`);
  });
}

/** Refuses a word that stands where the name of a command belongs. */
export function refuseUnknownCommand(parent: Command): void {
  const [word] = parent.args;
  if (word !== undefined) parent.error(`unknown command '${word}'.${hintFor(word, namesOf(parent), 'There are')}`);
}

function namesOf(parent: Command): string[] {
  return parent.commands.map((command) => command.name());
}

/** Gathers an option that may be repeated. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
