/** The cache by command: what stands in it, a task in a thread that takes from it, making it anew, clearing it; and moving large results. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCliProject, type CliProject, type Finished } from './cli-project.ts';

const flow = `import { appendFileSync } from 'node:fs';
import { Flow, Task, type TaskContext } from 'batuta';
@Flow()
export class Geocode {
  @Task() async city(ctx: TaskContext<{ city: string }>): Promise<string> { return ctx.params.city; }
  @Task({ needs: ['city'], cache: '1 hour', isolate: 'thread' }) async place(city: string): Promise<string> {
    appendFileSync('made.txt', city + '\\n');
    return 'place of ' + city;
  }
}
@Flow()
export class Tickets {
  @Task({ isolate: 'thread', rollback: 'cancel' }) async book(): Promise<{ seat: string }> { return { seat: '12A' }; }
  @Task({ needs: ['book'] }) async pay(): Promise<void> { throw new Error('The card is refused.'); }
  cancel({ seat }: { seat: string }): void { appendFileSync('made.txt', 'cancelled ' + seat + '\\n'); }
}
@Flow()
export class Large {
  @Task() async much(): Promise<string> { return 'x'.repeat(400_000); }
}
`;

describe('in a project', () => {
  let project: CliProject;
  beforeAll(() => {
    project = makeCliProject({
      'flows/all.ts': flow,
      'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}',
    });
  });
  afterAll(() => project.remove());

  const run = async (...args: string[]): Promise<Finished> => {
    const finished = await project.batuta(...args);
    expect(finished.status, finished.stdout + finished.stderr).toBe(0);
    return finished;
  };
  const json = async (...args: string[]): Promise<any> => JSON.parse((await run(...args, '--json')).stdout); // oxlint-disable-line typescript/no-explicit-any -- what comes is what the test looks at
  const made = (): string[] =>
    existsSync(join(project.path, 'made.txt')) ? readFileSync(join(project.path, 'made.txt'), 'utf8').trim().split('\n') : [];

  test('batuta cache lists what a thread has made, shows it, and clears it; --refresh-cache makes it anew', {
    timeout: 120_000,
  }, async () => {
    await run('run', 'flows/all.ts:Geocode', '-p', 'city=Lima');
    await run('run', 'flows/all.ts:Geocode', '-p', 'city=Lima');
    expect(made()).toEqual(['Lima']);
    const [entry, ...others] = await json('cache', 'ls');
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ flow: 'geocode', task: 'place', hits: 1, misses: 1 });
    expect((await run('cache', 'ls')).stdout).toContain('geocode');
    expect((await run('cache', 'show', entry.id)).stdout).toContain('place of Lima');
    await run('run', 'flows/all.ts:Geocode', '-p', 'city=Lima', '--refresh-cache');
    expect(made()).toEqual(['Lima', 'Lima']);
    expect((await project.batuta('cache', 'clear')).status).toBe(2);
    await run('cache', 'clear', '--flow', 'geocode');
    expect(await json('cache', 'ls')).toEqual([]);
    await run('run', 'flows/all.ts:Geocode', '-p', 'city=Lima');
    expect(made()).toEqual(['Lima', 'Lima', 'Lima']);
  });

  test('what a task in a thread did is undone with the result it gave', { timeout: 60_000 }, async () => {
    expect((await project.batuta('run', 'flows/all.ts:Tickets')).status).toBe(1);
    expect(made().at(-1)).toBe('cancelled 12A');
  });

  test('batuta results move takes large results to another place, where they are read', { timeout: 60_000 }, async () => {
    const { id, result } = await json('run', 'flows/all.ts:Large');
    expect(result).toBe('x'.repeat(400_000));
    const before = await json('results', 'ls');
    expect(before).toMatchObject([{ count: 2, isCurrent: true }]);
    expect(await json('results', 'move', '--to', 'store', '--dry-run')).toMatchObject({ dryRun: true });
    expect(await json('results', 'ls')).toEqual(before);
    await run('results', 'move', '--to', 'store');
    expect(await json('results', 'ls')).toMatchObject([{ place: expect.not.stringMatching(before[0].place), count: 2, isCurrent: false }]);
    const read = project.write(
      'read.mjs',
      `import { openClient } from 'batuta/client';
      const client = await openClient();
      console.log((await client.runs.inspect('${id}')).result.length);
      await client.close();`,
    );
    expect((await project.node(read)).stdout.trim()).toBe('400000');
    expect((await project.batuta('results', 'move', '--to', 's3://elsewhere/never-set')).status).not.toBe(0);
  });
});
