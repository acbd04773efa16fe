import { expect, test } from 'vitest';
import { inheritedFlags } from '../../../src/engine/isolate/inherited-flags.ts';

const code = "import { run } from 'batuta'";

test.each<[string, readonly string[], readonly string[]]>([
  ['code', ['--input-type=module', '-e', code], []],
  ['code whose type is apart', ['--input-type', 'module', '--eval', code, '--enable-source-maps'], ['--enable-source-maps']],
  ['code that is attached', [`--eval=${code}`, `--print=${code}`], []],
  ['code that is printed', ['-p', code, '-r', './hook.cjs'], ['-r', './hook.cjs']],
  ['code that is printed and named after that', ['-p', '-e', code], []],
  ['code of both', ['-pe', code, '--no-warnings'], ['--no-warnings']],
  ['a debugger', ['--inspect', '--inspect-brk=0', '--inspect-port', '9300', '--debug-port=9300', '--no-warnings'], ['--no-warnings']],
  ['a watch', ['--watch', '--watch-path=src', '--watch-path', 'web', '--watch-preserve-output'], []],
  ['tests', ['--test', '--test-name-pattern', 'adds', '--test-only', '--import', 'tsx'], ['--import', 'tsx']],
  ['a limit of memory', ['--max-old-space-size=512', '--max_old_space_size=512', '--stack-size=2000'], ['--stack-size=2000']],
  ['a prompt', ['-i', '--interactive', '--check'], []],
])('a process for tasks takes over no %s', (_, flags, inherited) => {
  expect(inheritedFlags(flags)).toEqual(inherited);
});

test('a process for tasks takes over loaders, conditions and the like', () => {
  const flags = ['--import', 'batuta/register', '-C', 'development', '--env-file=.env', '--experimental-vm-modules', '--trace-warnings'];
  expect(inheritedFlags(flags)).toEqual(flags);
});
