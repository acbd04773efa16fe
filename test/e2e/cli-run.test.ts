import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chatty, children, failing, mapped, strict, waiting } from './cli-flows.ts';
import { makeCliProject } from './cli-project.ts';

const project = makeCliProject({
  'extra/chatty.ts': chatty,
  'extra/children.ts': children,
  'flows/failing.ts': failing,
  'flows/strict.ts': strict,
  'flows/waiting.ts': waiting,
  'flows/mapped.ts': mapped,
});
afterAll(() => project.remove());

/** Parses what must be one JSON value and nothing else. */
function only(stdout: string): Record<string, unknown> {
  expect(stdout.endsWith('}\n')).toBe(true);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('batuta run', () => {
  it('prints each change of state, the result, and where to look next', async () => {
    const { status, stdout } = await project.batuta('run', 'mapped', '--name', 'my-run');
    expect(status).toBe(0);
    expect(stdout).toMatch(/● mapped my-run \S{8} Running/);
    expect(stdout).toContain('square 100/200');
    expect(stdout).toMatch(/✓ Completed in .* · tasks: 202 done\n {2}result {2}2646700\n {2}next {4}npx batuta runs inspect \S{8}\n/);
  });

  it('--json prints exactly one object, whatever the flow prints', async () => {
    const { status, stdout, stderr } = await project.batuta('run', 'extra/chatty.ts', '--json', '--tag', 'mine');
    expect(status).toBe(0);
    const run = only(stdout);
    expect(Object.keys(run)).toEqual(['id', 'flow', 'name', 'state', 'result', 'error', 'startedAt', 'endedAt', 'durationMs', 'tasks']);
    expect(run).toMatchObject({
      flow: 'chatty',
      state: { type: 'COMPLETED', name: 'Completed', message: null },
      result: '10',
      error: null,
    });
    const tasks = run['tasks'] as Record<string, unknown>[];
    expect(tasks.map((task) => task['name'])).toEqual(['first', 'second']);
    expect(Object.keys(tasks[0] ?? {})).toEqual(['id', 'name', 'index', 'state', 'attempts', 'startedAt', 'endedAt', 'error']);
    expect(String(run['startedAt'])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    for (const text of ['printed while it loads', 'by console', 'past everything', 'by the log']) expect(stderr).toContain(text);
  });

  it('--json prints exactly one object, whatever children of the flow print, and what it writes to the descriptor', async () => {
    const { status, stdout, stderr } = await project.batuta('run', 'extra/children.ts', '--json');
    expect(status).toBe(0);
    expect(only(stdout)).toMatchObject({ flow: 'children', result: 'captured' });
    for (const text of ['from spawn', 'from sync', 'by descriptor', 'by dir: [Object]', 'in a table']) expect(stderr).toContain(text);
  });

  it('--json prints the object of a run that failed too, and ends with 1', async () => {
    const { status, stdout } = await project.batuta('run', 'failing', '--json');
    expect(status).toBe(1);
    const run = only(stdout);
    expect(run).toMatchObject({
      state: { type: 'FAILED' },
      error: { name: 'TypeError', message: 'cannot do this', cause: { message: 'deep down' } },
    });
    expect((run['tasks'] as { state: { name: string } }[]).map((task) => task.state.name)).toEqual([
      'Completed',
      'Failed',
      'UpstreamFailed',
    ]);
  });

  it("a failed run says why, points at the user's own line, and ends with 1", async () => {
    const { status, stdout } = await project.batuta('run', 'failing');
    expect(status).toBe(1);
    expect(stdout).toContain('tasks: 1 done, 1 failed, 1 not reached');
    expect(stdout).toMatch(/bad failed\n {2}TypeError: cannot do this\n {4}at flows\/failing.ts:7:\d+\n {4}7 │ .*throw new TypeError/);
    expect(stdout).toContain('caused by deep down');
    expect(stdout).toMatch(/npx batuta runs retry \S{8}/);
  });

  it('reads -p as text where text fits and as JSON where it does not', async () => {
    const { status, stdout } = await project.batuta(
      'run',
      'strict',
      '-p',
      'month=01',
      '-p',
      'limit=5',
      '-p',
      'dry=true',
      '-p',
      'days=[1,2]',
      '--json',
    );
    expect(status).toBe(0);
    expect(only(stdout)['result']).toEqual({ month: '01', limit: 5, dry: true, days: [1, 2] });
  });

  it('takes parameters from a file, which -p wins over', async () => {
    project.write('params.json', '{"month":"02","limit":1}');
    const { stdout } = await project.batuta('run', 'strict', '--params', '@params.json', '-p', 'limit=9', '--json');
    expect(only(stdout)['result']).toMatchObject({ month: '02', limit: 9 });
  });

  it('Ctrl-C cancels: 130, and the run is Cancelled', async () => {
    const run = project.start('run', 'waiting', '--name', 'interrupted');
    await run.sees('now waiting');
    run.child.kill('SIGINT');
    const { status, stdout, stderr } = await run.finished;
    expect(status).toBe(130);
    expect(stderr).toContain('Cancelling; Ctrl-C again leaves at once.');
    expect(stdout).toContain('⊘ Cancelled in');
    const states = JSON.parse((await project.batuta('runs', 'ls', '--flow', 'waiting', '--json')).stdout) as { state: { name: string } }[];
    expect(states.map(({ state }) => state.name)).toEqual(['Cancelled']);
  });

  it('a second Ctrl-C leaves at once and leaves nothing Running', async () => {
    const run = project.start('run', 'stubborn', '--json');
    await run.sees('now waiting');
    run.child.kill('SIGINT');
    await run.sees('Ctrl-C again');
    run.child.kill('SIGINT');
    expect((await run.finished).status).toBe(130);
    const running = await project.batuta('runs', 'ls', '--state', 'running,cancelling', '--json');
    expect(JSON.parse(running.stdout)).toEqual([]);
    const [stopped] = JSON.parse((await project.batuta('runs', 'ls', '--flow', 'stubborn', '--json')).stdout) as {
      id: string;
      state: { name: string };
    }[];
    expect(stopped?.state.name).toBe('Cancelled');
    const { stdout } = await project.batuta('runs', 'inspect', String(stopped?.id), '--json');
    expect((JSON.parse(stdout) as { tasks: { state: { name: string } }[] }).tasks.map(({ state }) => state.name)).toEqual(['Cancelled']);
  });
});

describe('bad input', () => {
  mkdirSync(join(project.path, 'bad'));
  const bad = (name: string, text: string): void =>
    writeFileSync(join(project.path, 'bad', name), `import { Flow, Task } from 'batuta';\n${text}`);
  bad('syntax.ts', '@Flow() export class X { @Task() a( { } }');
  bad('throws.ts', "throw new Error('no settings');");
  bad(
    'two.ts',
    "@Flow({ name: 'one' }) export class A { @Task() async a() {} }\n@Flow({ name: 'two' }) export class B { @Task() async a() {} }",
  );
  bad(
    'same.ts',
    "@Flow({ name: 'same' }) export class A { @Task() async a() {} }\n@Flow({ name: 'same' }) export class B { @Task() async a() {} }",
  );
  bad(
    'cycle.ts',
    "@Flow() export class C { @Task({ needs: ['b'] }) async a(x: unknown) { return x; } @Task({ needs: ['a'] }) async b(x: unknown) { return x; } }",
  );
  writeFileSync(join(project.path, 'bad/corrupt.db'), 'no database '.repeat(500));

  it.each([
    [2, 'FILE_NOT_FOUND', ['run', 'flows/strct.ts'], 'Did you mean flows/strict.ts?'],
    [2, 'FLOW_NOT_FOUND', ['run', 'strct'], "Did you mean 'strict'?"],
    [2, 'FLOW_NOT_FOUND', ['run', 'flows/waiting.ts:Waitin'], "Did you mean 'Waiting'?"],
    [2, 'FLOW_AMBIGUOUS', ['run', 'bad/two.ts'], 'bad/two.ts:A, bad/two.ts:B'],
    [2, 'FLOW_DUPLICATE', ['run', 'bad/same.ts'], "'same'"],
    [2, 'GRAPH_CYCLE', ['run', 'bad/cycle.ts'], 'a'],
    [1, 'FILE_NOT_COMPILED', ['run', 'bad/syntax.ts'], 'bad/syntax.ts:2:'],
    [1, 'FILE_NOT_LOADED', ['run', 'bad/throws.ts', '--json'], 'no settings'],
    [2, 'PARAMS_INVALID', ['run', 'strict', '-p', 'month=01', '--json'], 'limit'],
    [2, 'PARAMS_INVALID', ['run', 'strict', '-p', 'month=01', '-p', 'limit=many', '--json'], 'limit'],
    [2, 'PARAMS_INVALID', ['run', 'strict', '-p', 'month=01', '-p', 'limit=1', '-p', 'mnth=2'], "Did you mean 'month'?"],
    [2, 'PARAMS_NOT_JSON', ['run', 'strict', '--params', '{month'], '--params is not JSON'],
    [2, 'USAGE', ['run'], "missing required argument 'flow'"],
    [2, 'USAGE', ['rum', 'x'], "Did you mean 'run'?"],
    [2, 'USAGE', ['runs', 'inspct', 'x'], "Did you mean 'inspect'?"],
    [2, 'USAGE', ['runs'], 'needs one of: ls, inspect, logs'],
    [2, 'USAGE', ['runs', 'ls', '--limt', '3'], 'Did you mean --limit?'],
    [2, 'USAGE', ['runs', 'ls', '--state', 'done'], 'Allowed are Scheduled'],
    [2, 'RUN_NOT_FOUND', ['runs', 'inspect', 'ffffffff'], 'npx batuta runs ls'],
    [2, 'CONFIG_INVALID', ['--database-url', 'mysql://x', 'runs', 'ls'], 'sqlite:'],
    [1, 'STORE_CORRUPT', ['--database-url', 'sqlite:bad/corrupt.db', 'run', 'mapped'], 'bad/corrupt.db'],
    [1, 'STORE_UNAVAILABLE', ['--database-url', 'postgres://a:hidden@127.0.0.1:1/x', 'runs', 'ls'], '127.0.0.1'],
  ])('%i %s: batuta %j', async (expected, code, args, text) => {
    const { status, stdout, stderr } = await project.batuta(...args);
    expect({ status, stdout }).toEqual({ status: expected, stdout: '' });
    const told = stderr.split('\n').filter((line) => line.startsWith('error '));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(`error ${code}: `);
    expect(told[0]).toContain(text);
    expect(stderr).not.toMatch(/\n {4}at |hidden/);
  });

  it('wrong input leaves no run behind', async () => {
    const { stdout } = await project.batuta('runs', 'ls', '--flow', 'strict', '--json');
    const states = (JSON.parse(stdout) as { state: { name: string } }[]).map(({ state }) => state.name);
    expect(new Set(states)).toEqual(new Set(['Completed']));
  });

  it('--verbose shows the stack', async () => {
    const { stderr } = await project.batuta('run', 'bad/throws.ts', '--verbose');
    expect(stderr).toMatch(/\n {4}at /);
  });
});
