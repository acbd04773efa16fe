/** How people call this program. Printed commands begin with it, everywhere, so that they work as they are. */
import { basename, delimiter, dirname } from 'node:path';
import { environmentVariable } from './config.ts';

/** A package manager's name in the environment of its children, and how it calls a package's command. */
const callers: Readonly<Record<string, string>> = { pnpm: 'pnpm batuta', yarn: 'yarn batuta', bun: 'bunx batuta' };

/** How a process was started. */
export interface Started {
  /** Path of the script Node.js got. */
  readonly script: string | undefined;
  /** `npm_config_user_agent`, e.g. `pnpm/10.1.0 npm/? node/v24.0.0 linux x64`. */
  readonly agent: string | undefined;
  /** `PATH`. */
  readonly path: string | undefined;
}

/**
 * How to call this program again: `pnpm batuta`, `yarn batuta` or `bunx batuta` if that package manager started this process, by a script
 * or directly; `batuta` if it was called by that name alone, as in a container or after `npm install --global`; else `npx batuta`, which
 * works in every folder of a project that has the package.
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
