import type { Command } from 'commander';

/** A command that only holds others; called alone, or with a name it does not know, it says which there are. */
export function makeGroup(program: Command, name: string, description: string): Command {
  const group = program.command(name).description(description);
  return group.action(() => {
    const names = group.commands.map((command) => command.name()).join(', ');
    group.error(`batuta ${name} needs one of: ${names}`);
  });
}
