/** What is told when code of a flow ends the process that executes it. */
import { afterAll, describe, expect, it } from 'vitest';
import { makeCliProject } from './cli-project.ts';

const quitting = `
import { Flow, Task } from 'batuta';
@Flow()
export class Quitting {
  @Task() async first() { return 1; }
  @Task({ needs: ['first'] }) async quit(n: number): Promise<number> { process.exit(0); }
}`;

const throwing = `
import { Flow, Task } from 'batuta';
@Flow()
export class Throwing {
  @Task() async late() { setImmediate(() => { throw new TypeError('thrown past everything'); }); await new Promise(() => undefined); }
}`;

const project = makeCliProject({ 'flows/quitting.ts': quitting, 'flows/throwing.ts': throwing });
afterAll(() => project.remove());

describe('process.exit in a flow', () => {
  it('fails the command that runs it, which tells how to go on', async () => {
    const { status, stderr } = await project.batuta('run', 'quitting');
    expect(status).toBe(1);
    const [, id = ''] = /called process\.exit\(0\) in the middle of the run\. .* batuta runs resume (\S+)\n$/.exec(stderr) ?? [];
    const resumed = await project.batuta('runs', 'resume', id, '--json');
    expect([resumed.status, resumed.stdout]).toEqual([1, '']);
    expect(resumed.stderr).toContain(`batuta runs resume ${id}`);
  });

  it('is told by the worker that it ends, again and again until the run is Crashed', async () => {
    const submitted = await project.batuta('runs', 'submit', 'quitting');
    const id = submitted.stdout.trim();
    const env = { BATUTA_MAX_RECOVERIES: '1' };
    for (let owners = 0; owners < 2; owners += 1) {
      const { status, stderr } = await project.startWith(env, 'worker').finished;
      expect([status, stderr]).toEqual([1, expect.stringContaining('called process.exit(0). What it had under way is left to others.')]);
    }
    const last = project.startWith(env, 'worker');
    await expect
      .poll(async () => JSON.parse((await project.batuta('runs', 'inspect', id, '--json')).stdout) as object, { timeout: 20_000 })
      .toMatchObject({ state: { name: 'Crashed' } });
    last.child.kill('SIGTERM');
    const { status, stderr } = await last.finished;
    expect([status, stderr.includes('process.exit')]).toEqual([0, false]);
  });
});

it('an error that nobody catches is told as Node.js tells it, and not as an exit', async () => {
  const { status, stderr } = await project.batuta('run', 'throwing');
  expect(status).toBe(1);
  expect(stderr).toContain('TypeError: thrown past everything');
  expect(stderr).not.toContain('process.exit');
});
