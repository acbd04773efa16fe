/** Shared parts of command declarations. */
import type { Command } from 'commander';
import { hintFor } from '../base/nearest.ts';
import { programName } from '../base/program-name.ts';
import type { CommandContext, ExitStatus } from './context.ts';

/** A command with its arguments bound. */
export type Action = (context: CommandContext) => Promise<ExitStatus>;

/**
 * Makes a commander action from code loaded once its command is chosen: it gets the context, the arguments and the options,
 * including those of its group.
 */
export type Perform = (
  load: () => Promise<(context: CommandContext, ...given: never[]) => Promise<ExitStatus>>,
) => (...given: unknown[]) => Promise<void>;

/** A command that only groups others; called alone, or with an unknown name, it lists them. */
export function makeGroup(program: Command, name: string, description: string): Command {
  const group = program.command(name).description(description).usage('<command> [options]').allowExcessArguments();
  return group.action(() => {
    refuseUnknownCommand(group);
    group.error(`${programName()} ${name} needs one of: ${namesOf(group).join(', ')}`);
  });
}

/** Refuses an unknown word in place of a command's name. */
export function refuseUnknownCommand(parent: Command): void {
  const [word] = parent.args;
  if (word !== undefined) parent.error(`unknown command '${word}'.${hintFor(word, namesOf(parent), 'There are')}`);
}

function namesOf(parent: Command): string[] {
  return parent.commands.map((command) => command.name());
}

/** Collects a repeatable option. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
