/** What every command is given, and how it opens what it needs. */
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
