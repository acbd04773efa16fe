/** Two versions of a folder of flows, as a deploy replaces one by the other. Each task leaves `root task version instant pid` in the ledger. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export type VersionName = 'old' | 'new';

/** In this project, so that the files find the library. The caller removes it. */
export function makeFlowFolders(): {
  readonly folderOf: (version: VersionName) => string;
  readonly write: typeof writeFlows;
  remove(): void;
} {
  const root = mkdtempSync(join(resolve('test/chaos'), '.pins-'));
  const folderOf = (version: VersionName): string => join(root, version);
  for (const version of ['old', 'new'] as const) {
    mkdirSync(folderOf(version));
    writeFlows(folderOf(version), version);
  }
  return { folderOf, write: writeFlows, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** The flows of a version. What tells the versions apart stands outside of the classes. */
export function writeFlows(folder: string, version: VersionName): void {
  const note = `import { appendFileSync } from 'node:fs';
export interface Params { readonly ledger: string; readonly root?: string }
export function note(params: Params, run: string, what: string): string {
  appendFileSync(params.ledger, \`\${params.root ?? run} \${what} ${version} \${Date.now()} \${process.pid}\\n\`);
  return '${version}';
}
`;
  writeFileSync(join(folder, 'note.ts'), note);
  writeFileSync(join(folder, 'child.ts'), child);
  writeFileSync(join(folder, 'pinned.ts'), orders('PinnedOrders', ", versioning: 'pin'"));
  writeFileSync(join(folder, 'continuing.ts'), orders('ContinuingOrders', ''));
}

const child = `import { Flow, Task, type FlowContext, type TaskContext } from 'batuta';
import { note, type Params } from './note.ts';
@Flow({ name: 'pinned-child', versioning: 'pin' })
export class PinnedChild {
  async run(_params: Params, ctx: FlowContext<Params>): Promise<string[]> {
    const first = await this.childFirst(ctx);
    await ctx.sleep('300ms');
    return [first, await this.childLast(ctx)];
  }
  @Task() async childFirst(ctx: TaskContext<Params>) { return note(ctx.params, ctx.run.id, 'childFirst'); }
  @Task() async childLast(ctx: TaskContext<Params>) { return note(ctx.params, ctx.run.id, 'childLast'); }
}
`;

const orders = (name: string, options: string): string => `import { Flow, Task, type FlowContext, type TaskContext } from 'batuta';
import { PinnedChild } from './child.ts';
import { note, type Params } from './note.ts';
@Flow({ name: '${name.replace(/[A-Z]/g, (letter, at: number) => (at === 0 ? '' : '-') + letter.toLowerCase())}'${options} })
export class ${name} {
  async run(params: Params, ctx: FlowContext<Params>): Promise<string[]> {
    const seen = [await this.first(ctx)];
    await ctx.waitFor('go');
    seen.push(await this.flaky(ctx));
    seen.push(...(await Promise.all([1, 2].map((number) => this.spreadOut(number, ctx)))));
    seen.push(await this.apart(ctx));
    seen.push(...(await ctx.runFlow(PinnedChild, { ...params, root: ctx.run.id })));
    seen.push(await this.last(ctx));
    return seen;
  }
  @Task() async first(ctx: TaskContext<Params>) { return note(ctx.params, ctx.run.id, 'first'); }
  @Task({ retries: 5, retryDelay: '300ms' }) async flaky(ctx: TaskContext<Params>) {
    const version = note(ctx.params, ctx.run.id, 'flaky');
    if (ctx.task.attempt < 3) throw new Error('Not yet.');
    return version;
  }
  @Task({ spread: true, retries: 5, retryDelay: '100ms' }) async spreadOut(number: number, ctx: TaskContext<Params>) {
    const version = note(ctx.params, ctx.run.id, 'spreadOut');
    if (ctx.task.attempt === 1 && number === 1) throw new Error('Not yet.');
    return version;
  }
  @Task({ isolate: 'thread' }) async apart(ctx: TaskContext<Params>) { return note(ctx.params, ctx.run.id, 'apart'); }
  @Task() async last(ctx: TaskContext<Params>) { return note(ctx.params, ctx.run.id, 'last'); }
}
`;
