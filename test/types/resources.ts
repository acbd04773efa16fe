/** Resources as users declare and use them. Compiled in both decorator modes, on every TypeScript supported. Never run. */
import { Flow } from '../../src/define/flow.ts';
import { Inject } from '../../src/define/inject.ts';
import { Task } from '../../src/define/task.ts';
import type { FlowContext, TaskContext } from '../../src/model/context.ts';
import { resource } from '../../src/resources/resource.ts';
import { override, type ResourceOverride } from '../../src/testing/override-resources.ts';

class Pool {
  #size = 1;
  async query(text: string): Promise<number> {
    return text.length + this.#size;
  }
  async end(): Promise<void> {}
}

export const warehouse = resource(
  'warehouse',
  async function* (ctx) {
    const nothing: null = ctx.run;
    ctx.log.info({ nothing });
    const pool = new Pool();
    try {
      yield pool;
    } finally {
      await pool.end();
    }
  },
  { scope: 'worker', timeout: '10s' },
);
export const tenantDb = resource('tenant-db', async (ctx, tenant: string) => ({ tenant, run: ctx.run.id, pool: await ctx.use(warehouse) }));
export const sync = resource('sync', function* () {
  yield 7;
});
export const unit = resource(
  'unit',
  async function* (ctx) {
    yield `${ctx.task.name} of ${(await ctx.use(tenantDb, 'a')).tenant}`;
  },
  { scope: 'task' },
);
export const folder = resource('folder', () => ({ path: '/tmp', [Symbol.asyncDispose]: async (): Promise<void> => undefined }));

export const overrides: readonly ResourceOverride[] = [
  override(sync, 7),
  override(sync, () => 7),
  override(unit, async (ctx) => ctx.task.name),
  override(warehouse, async function* () {
    yield new Pool();
  }),
  override(tenantDb, async (ctx, tenant) => ({ tenant: tenant.trim(), run: ctx.run.id, pool: new Pool() })),
];

interface Queries {
  query(text: string): Promise<number>;
}

@Flow()
export class Load {
  @Inject(warehouse) private readonly pool!: Pool;
  @Inject(warehouse) protected queries!: Queries;
  @Inject(sync) readonly seven!: number;
  @Inject(unit) text!: string | null;

  @Task()
  async load(ctx: TaskContext): Promise<number> {
    const db = await ctx.use(tenantDb, 'acme');
    const seven: number = await ctx.use(sync);
    const { path } = await ctx.use(folder);
    const name: string = await ctx.use(unit);
    return (await this.pool.query(db.tenant)) + (await this.queries.query(name + path)) + seven;
  }
}

@Flow()
export class Body {
  private readonly name: string;
  constructor(name: string) {
    this.name = name;
  }

  async run(_params: unknown, ctx: FlowContext): Promise<number> {
    return (await ctx.use(warehouse)).query(this.name);
  }
}
