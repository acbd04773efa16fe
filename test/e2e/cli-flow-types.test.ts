import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CliProject, makeCliProject } from './cli-project.ts';

const tsc = resolve(import.meta.dirname, '../../node_modules/typescript59/bin/tsc');
let project: CliProject;

beforeEach(() => {
  project = makeCliProject({
    'flows/orders.ts': `
      import { Flow, Task, type TaskContext } from 'batuta';
      import { z } from 'zod';
      @Flow()
      export class Orders {
        static readonly params = z.object({ day: z.string() });
        static readonly result = 'count';
        @Task() async count(ctx: TaskContext<typeof Orders>) { return ctx.params.day.length; }
      }`,
    'batuta.config.ts': `
      import { defineConfig, deployment } from 'batuta';
      import { Orders } from './flows/orders.ts';
      export default defineConfig({ deployments: [deployment(Orders, { name: 'nightly', cron: '@daily', params: { day: 'x' } })] });`,
    'use.ts': `
      import type { FlowContext, ResultOf } from 'batuta';
      import type { Client } from 'batuta/client';
      export async function use(client: Client, ctx: FlowContext): Promise<number> {
        await client.enqueue('orders', { day: 'x' });
        // @ts-expect-error a misspelt parameter
        await client.enqueue('orders', { dya: 'x' });
        await client.enqueue('another', { dya: 'x' });
        const nightly: number = await ctx.runDeployment('nightly', { day: 'y' });
        const orders: ResultOf<'orders'> = nightly;
        return orders;
      }`,
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        ...{ strict: true, target: 'es2022', module: 'nodenext', experimentalDecorators: true, skipLibCheck: true, noEmit: true },
        ...{ allowImportingTsExtensions: true, types: [] },
      },
      include: ['*.ts', 'flows'],
    }),
  });
});
afterEach(() => project.remove());

test('what flows and deployments take and give is known by name once the file is written', async () => {
  expect(await project.batuta('flow', 'types', '--check')).toMatchObject({ status: 1 });
  expect(await project.batuta('flow', 'types')).toMatchObject({ status: 0, stdout: '', stderr: 'batuta-flows.d.ts: 1 flow\n' });
  expect(await project.batuta('flow', 'types', '--check')).toMatchObject({ status: 0 });
  const compiled = spawnSync(process.execPath, [tsc, '-p', project.path], { encoding: 'utf8' });
  expect(compiled.stdout).toBe('');
  expect(compiled.status).toBe(0);
});

test('a flow file that does not load is named and left out', async () => {
  project.write('flows/broken.ts', `throw new Error('boom');`);
  const { status, stderr } = await project.batuta('flow', 'types');
  expect(status).toBe(1);
  expect(stderr).toContain('flows/broken.ts');
  expect(stderr).toContain('batuta-flows.d.ts: 1 flow');
});
