import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { programName } from '../../../src/base/program-name.ts';
import { silentProgram } from '../cli/program.ts';

const path = '/usr/local/bin:/usr/bin';

describe('what is printed for people to type', () => {
  it.each([
    ['npx batuta', 'npx and npm scripts', { script: '/app/node_modules/.bin/batuta', agent: 'npm/10.9.0 node/v22.0.0', path }],
    ['pnpm batuta', 'pnpm', { script: '/app/node_modules/batuta/dist/cli/main.js', agent: 'pnpm/10.1.0 npm/? node/v22', path }],
    ['yarn batuta', 'Yarn, whose packages npx does not find with Plug’n’Play', { script: '/app/.yarn/batuta', agent: 'yarn/4.5.0', path }],
    ['bunx batuta', 'Bun', { script: '/app/node_modules/.bin/batuta', agent: 'bun/1.2.0', path }],
    ['npx batuta', 'another package manager', { script: '/app/node_modules/.bin/batuta', agent: 'cnpm/9', path }],
    ['batuta', 'a global installation, or the container image', { script: '/usr/local/bin/batuta', agent: undefined, path }],
    ['npx batuta', 'systemd, by its whole path', { script: '/srv/flows/node_modules/.bin/batuta', agent: undefined, path }],
    ['npx batuta', 'a program of the user', { script: '/srv/app/main.js', agent: undefined, path }],
    ['npx batuta', 'no script at all', { script: undefined, agent: '', path: undefined }],
  ])('begins with %s where the process was started by %s', (name, _, started) => {
    expect(programName(started)).toBe(name);
  });

  it('takes its name from nowhere else: no other text of the program holds a command to type', () => {
    const commands = silentProgram().commands.map((command) => command.name());
    // In backticks a text speaks of a command. The heading of `batuta dev` is its name.
    const typed = new RegExp(`(?<![\\w./-])batuta (?:${commands.join('|')})\\b`);
    const spoken = (line: string): string => line.replaceAll(/'[^']*'/g, (text) => text.replaceAll(/`[^`]*`|^'batuta dev'$/g, ''));
    const files = ['src', 'worker', 'scheduler', 'web/src'].flatMap((room) =>
      readdirSync(room, { recursive: true, encoding: 'utf8' }).map((name) => join(room, name)),
    );
    const found = files
      .filter((file) => /\.tsx?$/.test(file) && !/^src\/cli\/scaffold\.ts$|command\.tsx$/.test(file))
      .flatMap((file) =>
        readFileSync(file, 'utf8')
          .split('\n')
          .map((line) => `${file}: ${line.trim()}`),
      )
      .filter((line) => !/: (?:\/?\*|\/\/)/.test(line) && typed.test(spoken(line)));
    expect(files.length).toBeGreaterThan(500);
    expect(found).toEqual([]);
  });
});
