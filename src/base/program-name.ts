/** How a person calls this program. What is printed for people to type begins with it, everywhere, so that it works as it stands. */
import { basename, delimiter, dirname } from 'node:path';
import { environmentVariable } from './config.ts';

/** What a package manager calls itself in the environment of all that it starts, and how it calls the command of a package. */
const callers: Readonly<Record<string, string>> = { pnpm: 'pnpm batuta', yarn: 'yarn batuta', bun: 'bunx batuta' };

/** What tells how a process was started. */
export interface Started {
  /** Path of the script that Node.js was given. */
  readonly script: string | undefined;
  /** `npm_config_user_agent`, e.g. `pnpm/10.1.0 npm/? node/v24.0.0 linux x64`. */
  readonly agent: string | undefined;
  /** `PATH`. */
  readonly path: string | undefined;
}

/**
 * How this program is called again: `pnpm batuta`, `yarn batuta` or `bunx batuta` where that package manager has started this process, by a script
 * or directly; `batuta` where it was called by that name alone, as in a container or after `npm install --global`; else `npx batuta`, which works
 * in every folder of a project that has the package.
 *
 * @example `List them: ${programName()} runs ls`
 */
export function programName(started: Started = howStarted()): string {
  const agent = started.agent?.split('/', 1)[0] ?? '';
  if (agent !== '') return callers[agent] ?? 'npx batuta';
  return isOnPath(started) ? 'batuta' : 'npx batuta';
}

function isOnPath({ script = '', path = '' }: Started): boolean {
  return basename(script) === 'batuta' && path.split(delimiter).includes(dirname(script));
}

function howStarted(): Started {
  return { script: process.argv[1], agent: environmentVariable('npm_config_user_agent'), path: environmentVariable('PATH') };
}
