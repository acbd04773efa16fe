/** How a declared command hands over what it does. */
import type { Command } from 'commander';
import type { CommandContext } from './context.ts';
import type { ExitStatus } from './exit-status.ts';

/** A command once its arguments are known. */
export type Action = (context: CommandContext) => Promise<ExitStatus>;

/** Called from within commander's action with the command that was chosen. */
export type Perform = (command: Command, action: Action) => Promise<void>;
