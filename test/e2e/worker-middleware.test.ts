/** Middleware of a project's `batuta.config.ts`, around the runs and tasks that a worker executes, spread tasks and threads included. */
import { afterEach, expect, test } from 'vitest';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';

const config = `import { contextKey, defineConfig, type Middleware } from 'batuta';
const tenant = contextKey<string>('tenant');
const outer: Middleware = (ctx, next) => {
  if (ctx.task?.name === 'refused') throw new Error('This task is not let in.');
  ctx.set(tenant, 'acme');
  ctx.log.info(ctx.task === null ? 'around the run' : 'around ' + ctx.task.name);
  return next();
};
export default defineConfig({ flows: 'flows', middleware: [outer] });
`;
const flows = `import { contextKey, Flow, Task, type TaskContext } from 'batuta';
const tenant = contextKey<string>('tenant');
@Flow()
export class Invoices {
  @Task() async near(ctx: TaskContext): Promise<string> { return 'near ' + ctx.get(tenant); }
  @Task({ needs: ['near'], spread: true }) async far(near: string, ctx: TaskContext): Promise<string> { return near + ', far ' + ctx.get(tenant); }
  @Task({ needs: ['far'], isolate: 'thread' }) async apart(far: string, ctx: TaskContext): Promise<string> { return far + ', apart ' + ctx.get(tenant); }
}
@Flow()
export class Refused {
  @Task() async refused(): Promise<number> { return 1; }
}
`;

let project: CliProject;
let worker: Started | null = null;
afterEach(async () => {
  worker?.child.kill('SIGTERM');
  await worker?.finished;
  project.remove();
});

test('runs in the worker, hands values to every kind of task, and can refuse one', { timeout: 120_000 }, async () => {
  project = makeCliProject({
    'batuta.config.ts': config,
    'flows/all.ts': flows,
    'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}',
  });
  worker = project.start('worker');
  await worker.sees('serves default');
  const submitted = await project.batuta('runs', 'submit', 'invoices', '--watch', '--json');
  expect(submitted.status, submitted.stdout + submitted.stderr).toBe(0);
  const { id, result } = JSON.parse(submitted.stdout) as { readonly id: string; readonly result: unknown };
  expect(result).toBe('near acme, far acme, apart acme');
  const lines = JSON.parse((await project.batuta('runs', 'logs', id, '--json')).stdout) as { readonly message: string }[];
  const around = lines.map(({ message }) => message).filter((message) => message.startsWith('around'));
  expect(around).toEqual(['around the run', 'around near', 'around far', 'around apart']);
  const refused = await project.batuta('runs', 'submit', 'refused', '--watch', '--json');
  expect(refused.status).toBe(1);
  expect(refused.stdout).toContain('This task is not let in.');
});
