import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { failing, mapped, strict } from './cli-flows.ts';
import { makeCliProject } from './cli-project.ts';

const project = makeCliProject({ 'flows/mapped.ts': mapped, 'flows/strict.ts': strict, 'flows/failing.ts': failing });
const fresh = makeCliProject();
afterAll(() => {
  project.remove();
  fresh.remove();
});

const version = (JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string }).version;

describe('batuta init', () => {
  it('makes a project whose flow runs, and never touches what is there', async () => {
    writeFileSync(join(fresh.path, 'package.json'), '{"name":"mine"}');
    const made = await fresh.batuta('init');
    expect(made.status).toBe(0);
    expect(made.stdout).toContain('⊘ package.json exists and was left alone');
    expect(made.stdout).toMatch(/^ {2}npm install batuta zod && npm install --save-dev typescript @types\/node$/m);
    expect(made.stdout).not.toMatch(/hello\.test|batuta\.config/);
    expect(readFileSync(join(fresh.path, 'package.json'), 'utf8')).toBe('{"name":"mine"}');
    const { status, stdout } = await fresh.batuta('run', 'flows/hello.ts', '-p', 'name=Ada', '-p', 'times=2', '--json');
    expect([status, (JSON.parse(stdout) as { result: unknown }).result]).toEqual([0, 'Hello, Ada! Hello, Ada!']);
    const again = await fresh.batuta('init');
    expect([again.status, again.stderr.includes('error USAGE: Nothing to make')]).toEqual([2, true]);
  });

  it('the project it makes passes the type check', async () => {
    const { status } = await fresh.batuta('init', 'typed');
    expect(status).toBe(0);
    const root = resolve(import.meta.dirname, '../..');
    // Against the sources: a build for tests has no declarations.
    const compilerOptions = {
      paths: { batuta: [join(root, 'src/index.ts')] },
      typeRoots: [join(root, 'node_modules/@types')],
      allowImportingTsExtensions: true,
    };
    fresh.write('typed/check.json', JSON.stringify({ extends: './tsconfig.json', compilerOptions, include: ['flows'] }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const check = spawnSync(process.execPath, [tsc, '-p', join(fresh.path, 'typed/check.json')], { encoding: 'utf8' });
    expect(check.stdout.split('\n').filter((line) => line.includes('flows/hello.ts'))).toEqual([]);
    expect(check.stdout).not.toMatch(/error TS(18003|5\d{3})/);
  });

  it.each([
    ['bad\nname', 'is not a valid name for a project folder'],
    ['a-file', 'a-file is a file'],
    ['a-file/inner', 'a-file is a file'],
    ['', 'is not a valid name for a project folder'],
  ])('a folder called %j is refused in one line', async (dir, text) => {
    writeFileSync(join(fresh.path, 'a-file'), '');
    const { status, stdout, stderr } = await fresh.batuta('init', dir);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error USAGE: [^\n]*\n$/);
    expect(stderr).toContain(text);
  });
});

test('a file .env is read by every command, and what is set already wins over it', async () => {
  project.write('.env', 'BATUTA_PORT=4300\nBATUTA_HOST="127.0.0.2"\n');
  const { stdout } = await project.batutaWith({ BATUTA_HOST: '127.0.0.3' }, 'config', '--json');
  project.write('.env', '');
  const settings = JSON.parse(stdout) as { name: string; value: string; source: string }[];
  const find = (wanted: string) => settings.find(({ name }) => name === wanted);
  expect([find('port'), find('host')]).toMatchObject([
    { value: '4300', source: 'env BATUTA_PORT' },
    { value: '127.0.0.3', source: 'env BATUTA_HOST' },
  ]);
});

describe('batuta flow', () => {
  it('ls lists what loads and reports what does not, with status 1', async () => {
    const fine = await project.batuta('flow', 'ls', '--json');
    expect(fine.status).toBe(0);
    expect((JSON.parse(fine.stdout) as { name: string; tasks: number }[]).map(({ name, tasks }) => [name, tasks])).toEqual([
      ['failing', 3],
      ['mapped', 3],
      ['strict', 1],
    ]);
    project.write('flows/broken.ts', 'export class {');
    const broken = await project.batuta('flow', 'ls');
    project.write('flows/broken.ts', '');
    expect(broken.status).toBe(1);
    expect(broken.stdout).toContain('mapped');
    expect(broken.stderr).toMatch(/^error FILE_NOT_COMPILED: flows\/broken.ts:1:/m);
  });

  it('inspect shows tasks with their options and the parameters', async () => {
    const { stdout } = await project.batuta('flow', 'inspect', 'mapped');
    expect(stdout).toMatch(/square +each of list +retries 2 after 1.0 s, doubling\n {2}sum +square +timeout 1 m 00 s/);
    const params = await project.batuta('flow', 'inspect', 'flows/strict.ts');
    expect(params.stdout).toMatch(/limit +integer +required +how many\n {2}dry +boolean +default false\n {2}days +number\[\]/);
    const json = JSON.parse((await project.batuta('flow', 'inspect', 'strict', '--json')).stdout) as {
      paramsSchema: { required: string[] };
    };
    expect(json.paramsSchema.required).toContain('limit');
  });

  it('graph draws, and speaks Mermaid and JSON', async () => {
    expect((await project.batuta('flow', 'graph', 'mapped')).stdout).toBe('list ───▸ square[] ───▸ sum\n');
    expect((await project.batuta('flow', 'graph', 'mapped', '--format', 'mermaid')).stdout).toBe(
      'flowchart LR\n  list["list"]\n  square["square[]"]\n  sum["sum"]\n  list ==> square\n  square --> sum\n',
    );
    expect(JSON.parse((await project.batuta('flow', 'graph', 'mapped', '--json')).stdout)).toMatchObject({
      nodes: ['list', 'square', 'sum'],
    });
  });
});

describe('batuta config, doctor and db', () => {
  it('config shows where each value comes from: flag, environment, file, default', async () => {
    project.write(
      'batuta.config.ts',
      "import { defineConfig } from 'batuta';\nexport default defineConfig({ defaults: { lease: '30s', heartbeat: '7s' } });",
    );
    const { stdout } = await project.batutaWith(
      { BATUTA_HEARTBEAT: '6s', BATUTA_API_KEY: 'hush' },
      '--log-level',
      'warn',
      'config',
      '--json',
    );
    const settings = Object.fromEntries((JSON.parse(stdout) as { name: string }[]).map((setting) => [setting.name, setting]));
    expect(settings).toMatchObject({
      lease: { value: '30s', source: 'file batuta.config.ts' },
      heartbeat: { value: '6s', source: 'env BATUTA_HEARTBEAT' },
      logLevel: { value: 'warn', source: 'flag' },
      port: { value: '4200', source: 'default' },
      apiKey: { value: '********' },
    });
    const unknown = await project.batutaWith({ BATUTA_LEESE: '1s' }, 'config');
    expect(unknown.stderr).toContain('Did you mean BATUTA_LEASE?');
  });

  it('doctor is content with a fresh project and names what is wrong with a broken one', async () => {
    const fine = await project.batuta('doctor');
    // The disk of the machine may be nearly full.
    expect([fine.status, fine.stdout.match(/^(✓|△(?= disk))/gm)?.length]).toEqual([0, 12]);
    expect(fine.stdout).toMatch(/schedules +no tick is overdue/);
    project.write('bad.db', 'no database '.repeat(500));
    const bad = await project.batuta('--database-url', 'sqlite:bad.db', 'doctor', '--json');
    expect(bad.status).toBe(1);
    const { ok, checks } = JSON.parse(bad.stdout) as {
      ok: boolean;
      checks: { name: string; verdict: string; found: string; mend: string | null }[];
    };
    expect(ok).toBe(false);
    const database = checks.find(({ name }) => name === 'database');
    expect([database?.verdict, database?.found.startsWith('STORE_CORRUPT: '), database?.mend === null]).toEqual(['bad', true, false]);
  });

  it('db migrate makes the tables once', async () => {
    const first = JSON.parse((await project.batuta('--database-url', 'sqlite:new.db', 'db', 'migrate', '--json')).stdout) as {
      before: number;
      after: number;
      applied: string[];
    };
    expect([first.before, first.applied.length > 0]).toEqual([0, true]);
    const second = await project.batuta('--database-url', 'sqlite:new.db', 'db', 'migrate');
    expect(second.stdout).toContain(`Nothing to do: sqlite:new.db is at version ${first.after}.`);
  });
});

describe('the terminal', () => {
  it('prints the version, and help without loading the engine', async () => {
    expect((await project.batuta('--version')).stdout).toBe(`${version}\n`);
    const { status, stdout, stderr } = await project.batutaWith({ NODE_DEBUG: 'esm' }, '--help');
    expect([status, stdout.startsWith('Usage: npx batuta')]).toEqual([0, true]);
    expect(stderr).toContain('run-cli');
    expect(stderr).not.toMatch(/open-(local-)?client|libsql|\/pino\//);
  });

  it('a reader that leaves early ends it quietly', async () => {
    await project.batuta('run', 'mapped');
    const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
    const [run] = JSON.parse((await project.batuta('runs', 'ls', '--json')).stdout) as { id: string }[];
    const script = `"${process.execPath}" "${main}" runs inspect ${run?.id} --json 2>&1 >/dev/stdout | head -1`;
    const output = execFileSync('sh', ['-c', script], { cwd: project.path, encoding: 'utf8' });
    expect(output).toBe('{\n');
  });

  it('NO_COLOR and FORCE_COLOR are honoured', async () => {
    const escape = '\u001b[';
    expect((await project.batuta('config')).stdout).not.toContain(escape);
    expect((await project.batutaWith({ FORCE_COLOR: '1' }, 'config')).stdout).toContain(escape);
    expect((await project.batutaWith({ FORCE_COLOR: '1', NO_COLOR: '1' }, 'config')).stdout).not.toContain(escape);
  });
});
