/** What ships, as someone who installs it meets it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = resolve('.');
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly bin: Record<string, string>;
  readonly exports: Record<string, string | Record<string, string>>;
  readonly dependencies: Record<string, string>;
};
let project = '';

beforeAll(() => {
  const build = spawnSync(process.execPath, ['scripts/build.js'], { encoding: 'utf8' });
  if (build.status !== 0) throw new Error(`The build failed:\n${build.stdout}${build.stderr}`);
  project = mkdtempSync(join(tmpdir(), 'batuta-user-'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules', 'batuta'));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'user', type: 'module' }));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Files and packages that a built file needs before its first line runs. */
function findStaticImports(entry: string): { readonly files: Set<string>; readonly packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const follow = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, from, bare] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export)\b[^;'"]*?from\s*["']([^"']+)["']|^import\s*["']([^"']+)["']/gm,
    )) {
      const name = from ?? bare ?? '';
      if (name.startsWith('.')) follow(join(dirname(file), name));
      else packages.add(name);
    }
  };
  follow(entry);
  return { files, packages };
}

test("importing 'batuta' reads neither engine nor store: nothing but reflect-metadata and Node's own", () => {
  const { packages } = findStaticImports('dist/index.js');
  expect([...packages].filter((name) => !name.startsWith('node:')).filter((name) => !name.startsWith('reflect-metadata'))).toEqual([]);
});

test('the command line reads its commands only when they are used', () => {
  const { packages } = findStaticImports('dist/cli/main.js');
  const heavy = ['libsql', 'pg', 'pino', 'pino-pretty', 'piscina', 'esbuild', 'zod'];
  expect(heavy.filter((name) => packages.has(name))).toEqual([]);
});

test('every file that package.json points to is there, and no package is needed that it does not name', () => {
  const targets = [
    ...Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target))),
    ...Object.values(manifest.bin),
  ];
  expect(targets.filter((target) => !existsSync(target))).toEqual([]);
  const packages = targets.filter((target) => target.endsWith('.js')).flatMap((target) => [...findStaticImports(target).packages]);
  const named = packages.filter((name) => !name.startsWith('node:')).map((name) => name.split('/')[0] ?? name);
  expect(named.filter((name) => !(name in manifest.dependencies))).toEqual([]);
});

test.each(['typescript', 'typescript59'])(
  "a user's project compiles against the declarations with %s, without skipping them",
  (compiler) => {
    writeFileSync(
      join(project, 'user.ts'),
      `import { Flow, isBatutaError, run, Task, type TaskContext } from 'batuta';
     import { type Client, openClient } from 'batuta/client';
     import { testFlow } from 'batuta/testing';
     @Flow() export class Sum {
       @Task() async one(ctx: TaskContext): Promise<number> { ctx.log.info('one'); return 1; }
       @Task({ needs: ['one'] }) async two(one: number): Promise<number> { return one + 1; }
     }
     export const value: unknown = await run(Sum);
     export const state: string = (await testFlow(Sum)).state.name;
     export const client: Client = await openClient();
     export const known: boolean = isBatutaError(value);`,
    );
    // Ours are checked; those of other packages are theirs.
    const options = {
      target: 'ES2022',
      module: 'NodeNext',
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      experimentalDecorators: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['user.ts'] }));
    const { stdout } = spawnSync(
      process.execPath,
      [join(root, 'node_modules', compiler, 'bin', 'tsc'), '-p', project, '--pretty', 'false'],
      { encoding: 'utf8' },
    );
    expect(stdout.split('\n').filter((line) => line.startsWith('user.ts') || line.includes('dist/'))).toEqual([]);
  },
);

test("a user's module finds every public entry from its own node_modules", () => {
  writeFileSync(
    join(project, 'user.mjs'),
    `const [all, client, testing] = await Promise.all([import('batuta'), import('batuta/client'), import('batuta/testing')]);
     console.log([typeof all.Flow, typeof client.openClient, typeof testing.testFlow].join());`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [join(project, 'user.mjs')], { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['function,function,function\n', '']);
});
