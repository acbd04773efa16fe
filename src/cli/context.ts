/** Input and exit status of every command. */
import type { Clock } from '../base/clock.ts';
import type { Terminal } from './terminal.ts';

/** Options allowed before or after any command. */
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

/** Exit status: 0 fine · 1 failed · 2 wrong usage · 130 and 143 ended by SIGINT (Ctrl-C) and SIGTERM. */
export type ExitStatus = 0 | 1 | 2 | 130 | 143;

/** Options of commands that can print JSON. */
export interface JsonOption {
  readonly json?: boolean;
}
