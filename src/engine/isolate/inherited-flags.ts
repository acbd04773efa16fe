/** The Node.js flags that a process or thread for tasks inherits: all except those meant for this process alone. */

/** Followed by a value, unless it is attached by `=`. */
const withValue = new Set(
  [
    '-e',
    '-pe',
    '--eval',
    '--input-type',
    '--inspect-port',
    '--debug-port',
    '--inspect-publish-uid',
    '--watch-path',
    '--max-old-space-size',
  ].concat(
    ['name-pattern', 'skip-pattern', 'reporter', 'reporter-destination', 'concurrency', 'timeout', 'shard'].map((name) => `--test-${name}`),
  ),
);

/** Followed by code only if that does not begin with a dash. */
const withCode = new Set(['-p', '--print']);

/** Flags for code or tests in place of the file, a port already in use, and this process's memory limit. */
const ownFlag =
  /^(-e|-p|-pe|-i|-c|--(eval|print|interactive|check|input-type|debug-port|max-old-space-size|(test|watch|inspect)(-[a-z-]+)?))$/;

/**
 * The inherited flags. Node.js itself omits the code of `node -e` only if a child inherits `process.execArgv` unchanged: with the code, the
 * child would execute that instead of its file, and start children of its own.
 *
 * @param flags as `process.execArgv` has them
 */
export function inheritedFlags(flags: readonly string[]): string[] {
  const inherited: string[] = [];
  for (let at = 0; at < flags.length; at++) {
    const flag = flags[at] ?? '';
    const [name = ''] = flag.split('=', 1);
    // V8 takes its flags with `_` as well.
    const known = name.replaceAll('_', '-');
    if (!ownFlag.test(known)) inherited.push(flag);
    else if (name === flag && (withValue.has(known) || (withCode.has(known) && !flags[at + 1]?.startsWith('-')))) at++;
  }
  return inherited;
}
