/** Texts that are no text, given on the command line: half an emoji, NUL, and valid ones that lie across a cut. */
import { afterAll, describe, expect, it } from 'vitest';
import { makeCliProject } from './cli-project.ts';

const project = makeCliProject({
  'flows/keyed.ts': `import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';
@Flow({ runName: 'x{customer}', params: z.object({ customer: z.string() }), concurrency: { limit: 1, key: '{customer}' } })
export class Keyed { @Task() async work(ctx: TaskContext<{ customer: string }>) { console.log(ctx.params.customer); return ctx.params.customer; } }
`,
  'lone.json': '{"customer":"c\\ud83e"}',
  'nul.json': '{"customer":"a\\u0000b"}',
  'emoji.json': JSON.stringify({ customer: `a${'😀'.repeat(400)}` }),
});
afterAll(() => project.remove());

describe('a parameter that no database takes as it is', () => {
  it.each(['lone.json', 'nul.json', 'emoji.json'])(
    '(%s) is submitted, listed, executed by a worker, and cancelled with such a message',
    async (file) => {
      expect((await project.batuta('runs', 'submit', 'keyed', '--params', `@${file}`)).status).toBe(0);
      const listed = await project.batuta('runs', 'ls', '--json');
      expect([listed.status, listed.stderr]).toEqual([0, '']);
      const [run] = JSON.parse(listed.stdout) as { id: string; name: string }[];
      expect([run?.name.isWellFormed(), [...(run?.name ?? '')].length <= 200]).toEqual([true, true]);
      const worker = project.start('worker');
      await worker.sees('serves default');
      const watched = await project.batuta('runs', 'watch', run?.id ?? '');
      expect(watched.status).toBe(0);
      worker.child.kill('SIGTERM');
      expect((await worker.finished).status).toBe(0);
      for (const verb of ['inspect', 'logs']) expect((await project.batuta('runs', verb, run?.id ?? '')).status).toBe(0);
      await project.batuta('runs', 'submit', 'keyed', '--params', `@${file}`, '--name', 'second');
      const [second] = JSON.parse((await project.batuta('runs', 'ls', '--json')).stdout) as { id: string }[];
      const cancelled = await project.batuta('runs', 'cancel', second?.id ?? '');
      expect(cancelled.status).toBe(0);
    },
  );
});
