/** Workers of one queue that know half of the flows each. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type Fleet, makeFleet } from '../support/fleet.ts';

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const source = (name: string): string => `import { Flow, Task } from 'batuta';
@Flow({ name: '${name}' })
export class Here {
  @Task() list() { return [1, 2]; }
  @Task({ each: 'list', spread: ${name.endsWith('spread')} }) work(item: number) { return '${name} ' + item; }
}
`;

/** A file of flows, in this project so that it finds the library. */
function flowFile(folder: string, ...names: string[]): string {
  const file = join(folder, `${names.join('-')}.ts`);
  writeFileSync(
    file,
    names
      .map((name, at) =>
        source(name)
          .replace('import', at === 0 ? 'import' : '//')
          .replace('Here', `Here${at}`),
      )
      .join(''),
  );
  return file;
}

const places = ['sqlite', 'postgres and redis'] as const;

test.each(places)(
  'on %s a run goes from a worker that does not know its flow straight to one that does, also while that one is busy',
  async (on) => {
    const folder = mkdtempSync(join(import.meta.dirname, '.flows-apart-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const left = flowFile(folder, 'left', 'left-spread');
    const right = flowFile(folder, 'right', 'right-spread');
    const fleet: Fleet = await makeFleet({ on, leaseMs: 15_000, env: { BATUTA_FLOWS: folder } });
    closing.push(() => fleet.stop());
    await fleet.start('worker', '--flows', left);
    await fleet.start('worker', '--flows', right, '--concurrency', '1');
    const names = Array.from({ length: 24 }, (_, at) => ['left', 'right', 'left-spread', 'right-spread'][at % 4] ?? '');
    for (const name of ['left', 'right', 'left-spread', 'right-spread']) await fleet.run('runs', 'submit', name, '--watch');
    const handles = await Promise.all(names.map((name) => fleet.client.enqueue(name)));
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(names.map((name) => [`${name} 1`, `${name} 2`]));
    const epochs = await Promise.all(handles.map(async (handle) => (await handle.get()).epoch));
    // Once by the wrong worker at most.
    expect(Math.max(...epochs)).toBeLessThanOrEqual(2);
  },
  120_000,
);
