/** What every command is given, and what it ends with. */
import type { Clock } from '../base/clock.ts';
import type { Terminal } from './terminal.ts';

/** Options that stand before or after any command. */
export interface GlobalOptions {
  readonly verbose: boolean;
  readonly databaseUrl: string | undefined;
  readonly flows: string | undefined;
  readonly logLevel: string | undefined;
  readonly logFormat: string | undefined;
}

export interface CommandContext {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly globals: GlobalOptions;
}

/** What a command ends with: 0 fine · 1 the thing failed · 2 wrong usage · 130 and 143 ended by SIGINT (Ctrl-C) and SIGTERM. */
export type ExitStatus = 0 | 1 | 2 | 130 | 143;

/** Commands whose answer may be had as JSON. */
export interface JsonOption {
  readonly json?: boolean;
}
