import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dying, failing, mapped, waiting } from './cli-flows.ts';
import { makeCliProject } from './cli-project.ts';

const project = makeCliProject({
  'flows/failing.ts': failing,
  'flows/waiting.ts': waiting,
  'flows/dying.ts': dying,
  'flows/mapped.ts': mapped,
});
afterAll(() => project.remove());

type Listed = {
  id: string;
  flow: string;
  name: string;
  state: { type: string; name: string };
  attempt: number;
  tags: string[];
  durationMs: number | null;
};

async function list(...filters: string[]): Promise<Listed[]> {
  const { status, stdout, stderr } = await project.batuta('runs', 'ls', '--json', ...filters);
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Listed[];
}

async function idOf(flow: string): Promise<string> {
  const [newest] = await list('--flow', flow, '--limit', '1');
  return String(newest?.id);
}

describe('batuta runs', () => {
  it('an empty store says so, and how to begin', async () => {
    const { status, stdout, stderr } = await project.batuta('runs', 'ls');
    expect([status, stdout]).toEqual([0, '']);
    expect(stderr).toContain('batuta run <file|flow>');
    expect(await list()).toEqual([]);
  });

  it('ls lists the newest first and filters', async () => {
    await project.batuta('run', 'mapped', '--name', 'first', '--tag', 'blue');
    await project.batuta('run', 'failing', '--name', 'second');
    const all = await list();
    expect(all.map(({ name }) => name)).toEqual(['second', 'first']);
    expect(Object.keys(all[0] ?? {})).toEqual([
      'id',
      'flow',
      'name',
      'deployment',
      'state',
      'scheduledFor',
      'createdAt',
      'startedAt',
      'endedAt',
      'durationMs',
      'attempt',
      'tags',
      'waitingMs',
      'wallMs',
      'pinnedTo',
    ]);
    expect((await list('--state', 'failed')).map(({ name }) => name)).toEqual(['second']);
    expect((await list('--state', 'COMPLETED', '--tag', 'blue', '--since', '1h')).map(({ name }) => name)).toEqual(['first']);
    expect(await list('--tag', 'green')).toEqual([]);
    const { stdout } = await project.batuta('runs', 'ls');
    expect(stdout).toMatch(
      /^state {2,}name {2,}flow {2,}started {2,}duration {2,}tasks {2,}attempt {2,}id\n✕ Failed {2,}second {2,}failing /,
    );
  });

  it('inspect shows all that is known, by a short id', async () => {
    const id = await idOf('failing');
    const { status, stdout } = await project.batuta('runs', 'inspect', id.slice(0, 23));
    expect(status).toBe(0);
    for (const text of [
      `id        ${id}`,
      'TypeError: cannot do this',
      'caused by deep down',
      'flows/failing.ts:7:',
      '✕ UpstreamFailed',
      'history',
    ])
      expect(stdout).toContain(text);
    const inspected = JSON.parse((await project.batuta('runs', 'inspect', id, '--json')).stdout) as Record<string, unknown>;
    expect(inspected).toMatchObject({ id, state: { type: 'FAILED' }, params: {}, result: null, children: [] });
    expect((inspected['transitions'] as unknown[]).length).toBeGreaterThan(5);
  });

  it('inspect takes the id that ls prints, and lists those that fit where several do', async () => {
    const { stdout } = await project.batuta('runs', 'ls');
    const printed = stdout
      .trim()
      .split('\n')
      .slice(1)
      .filter((line) => !line.startsWith('  '))
      .map((line) => line.trim().split(/ {2,}/).at(-1) ?? '');
    expect(printed.every((id) => /^[0-9a-f]{8}$/.test(id))).toBe(true);
    const inspected = await Promise.all(printed.map((id) => project.batuta('runs', 'inspect', id, '--json')));
    expect(inspected.map((one, at) => [one.status, (JSON.parse(one.stdout) as { id: string }).id.endsWith(printed[at] ?? '?')])).toEqual(
      printed.map(() => [0, true]),
    );
    const id = await idOf('failing');
    const several = await project.batuta('runs', 'inspect', id.slice(0, 6));
    expect(several.status).toBe(2);
    expect(several.stderr).toMatch(/is ambiguous, \d+ runs begin or end so: .*second of failing/);
  });

  it('logs are filtered by task, level and tail', async () => {
    const id = await idOf('failing');
    const lines = JSON.parse((await project.batuta('runs', 'logs', id, '--json')).stdout) as {
      level: string;
      task: string;
      message: string;
    }[];
    expect(lines[0]).toMatchObject({ level: 'info', task: 'good', message: 'good ran' });
    expect((await project.batuta('runs', 'logs', id, '--task', 'good')).stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}good good ran\n$/);
    const errors = JSON.parse((await project.batuta('runs', 'logs', id, '--level', 'error', '--json')).stdout) as { level: string }[];
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.every(({ level }) => level === 'error')).toBe(true);
    expect(JSON.parse((await project.batuta('runs', 'logs', id, '--tail', '1', '--json')).stdout)).toHaveLength(1);
    const unknown = await project.batuta('runs', 'logs', id, '--task', 'god');
    expect([unknown.status, unknown.stdout]).toEqual([2, '']);
    expect(unknown.stderr).toContain("Did you mean 'good'?");
  });

  it('retry --from runs that task and all after it again', async () => {
    const id = await idOf('failing');
    const { status, stdout, stderr } = await project.batuta('runs', 'retry', id, '--from', 'good');
    expect([status, stderr.includes('good ran')]).toEqual([1, true]);
    expect(stdout).toMatch(/✓ good Completed in .*\n.*● bad Running/);
  });

  it('retry runs again only what is not recorded', async () => {
    const id = await idOf('failing');
    writeFileSync(join(project.path, 'mended'), '');
    const { status, stdout, stderr } = await project.batuta('runs', 'retry', id, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ id, state: { name: 'Completed' }, result: 2 });
    expect(stderr).not.toContain('good ran');
    expect(await list('--flow', 'failing')).toMatchObject([{ id, attempt: 3 }]);
  });

  it('what a state does not allow is refused', async () => {
    const id = await idOf('mapped');
    for (const args of [
      ['retry', id],
      ['resume', id],
      ['cancel', id],
    ]) {
      const { status, stdout, stderr } = await project.batuta('runs', ...args);
      expect([args[0], status, stdout]).toEqual([args[0], 2, '']);
      expect(stderr).toContain('error RUN_STATE_REFUSED: ');
    }
  });

  it('a run whose process was killed goes on with resume; what was recorded is not done again', async () => {
    const killed = await project.batuta('run', 'dying');
    expect(killed.status).toBeNull();
    const id = await idOf('dying');
    expect((await list('--flow', 'dying'))[0]?.state.type).toBe('RUNNING');
    writeFileSync(join(project.path, 'alive'), '');
    const { status, stdout } = await project.batuta('runs', 'resume', id, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ id, result: 42 });
    expect(readFileSync(join(project.path, 'count'), 'utf8')).toBe('x');
  });

  it('a second terminal follows, watches and cancels', async () => {
    const run = project.start('run', 'waiting', '--name', 'far');
    await run.sees('now waiting');
    const [far] = await list('--state', 'running');
    const id = String(far?.id);
    const watching = project.start('runs', 'watch', id);
    const following = project.start('runs', 'logs', id, '--follow');
    await Promise.all([watching.sees('wait Running'), following.sees('now waiting')]);
    const refused = await project.batuta('runs', 'resume', id);
    expect([refused.status, refused.stderr.includes('error RUN_OWNED: ')]).toEqual([1, true]);
    const held = await project.batuta('runs', 'delete', id);
    expect([held.status, held.stderr.includes('error RUN_STATE_REFUSED: ')]).toEqual([2, true]);
    const cancelled = await project.batuta('runs', 'cancel', id, '--message', 'not needed');
    expect(cancelled.status).toBe(0);
    expect((await run.finished).status).toBe(1);
    const watched = await watching.finished;
    expect([watched.status, watched.stdout.includes('⊘ Cancelled in')]).toEqual([1, true]);
    expect((await following.finished).status).toBe(0);
    expect(await list('--flow', 'waiting')).toMatchObject([{ state: { type: 'CANCELLED', message: 'not needed' } }]);
  });

  it('delete takes several ids, does what it can, and reports what it could not', async () => {
    const ids = (await list('--flow', 'mapped')).map(({ id }) => id);
    const { status, stdout, stderr } = await project.batuta('runs', 'delete', ...ids, 'ffffffff');
    expect(status).toBe(2);
    expect(stdout.split('\n').filter((line) => line.startsWith('deleted mapped'))).toHaveLength(ids.length);
    expect(stderr).toContain('error RUN_NOT_FOUND: ');
    expect(await list('--flow', 'mapped')).toEqual([]);
  });

  it('db prune counts first, then deletes what ended long enough ago', async () => {
    const before = (await list()).length;
    const dry = await project.batuta('db', 'prune', '--older-than', '1ms', '--dry-run', '--json');
    expect(JSON.parse(dry.stdout)).toMatchObject({ runs: before, dryRun: true });
    expect((await list()).length).toBe(before);
    const real = await project.batuta('db', 'prune', '--older-than', '1ms');
    expect(real.stdout).toMatch(new RegExp(`^Deleted ${before} runs that ended before `));
    expect(await list()).toEqual([]);
  });
});
