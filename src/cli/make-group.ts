import type { Command } from 'commander';
import { hintFor } from '../base/nearest.ts';

/** A command that only holds others; called alone, or with a name it does not know, it says which there are. */
export function makeGroup(program: Command, name: string, description: string): Command {
  const group = program.command(name).description(description).usage('<command> [options]').allowExcessArguments();
  return group.action(() => {
    refuseUnknownCommand(group);
    group.error(`batuta ${name} needs one of: ${namesOf(group).join(', ')}`);
  });
}

/** Refuses the word that stands where the name of a command belongs, when there is one. */
export function refuseUnknownCommand(parent: Command): void {
  const [word] = parent.args;
  if (word !== undefined) parent.error(`unknown command '${word}'.${hintFor(word, namesOf(parent), 'There are')}`);
}

function namesOf(parent: Command): string[] {
  return parent.commands.map((command) => command.name());
}
