/** Somebody who may write to the database, and to nothing else, names files in its rows. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';
import { makeCliProject } from './cli-project.ts';

const mark = (name: string): string => `import { writeFileSync } from 'node:fs';\nwriteFileSync('${name}', 'loaded');\n`;
const flow = (name: string, body: string): string => `import { Flow, Task } from 'batuta';
@Flow()
export class ${name} {
  @Task() async work() { ${body} }
}
`;
const onceMended = `const { existsSync } = await import('node:fs'); if (!existsSync('mended')) throw new Error('not yet'); return 1;`;

const project = makeCliProject({
  'flows/failing.ts': flow('Failing', onceMended),
  'flows/large.ts': flow('Large', `return 'x'.repeat(300_000);`),
  'flows/caller.ts': `import { Flow, type FlowContext } from 'batuta';
@Flow() export class Caller { async run(_: unknown, ctx: FlowContext) { return ctx.runDeployment('large', {}); } }
`,
  'lib/evil.ts': `${mark('evil-was-loaded')}${flow('Failing', 'return 1')}`,
  'scripts/outside.ts': flow('Outside', onceMended),
  'embedded.mjs': `import { Flow, Task, run } from 'batuta';
class Own { async work() { const { existsSync } = await import('node:fs'); if (!existsSync('mended')) throw new Error('not yet'); return 1; } }
Task()(Own.prototype, 'work', Object.getOwnPropertyDescriptor(Own.prototype, 'work'));
const flow = Flow({ name: 'own' })(Own) ?? Own;
export { flow as Own };
if (process.argv[1]?.endsWith('embedded.mjs')) await run(Own, {}).catch(() => undefined);
`,
});
afterAll(() => project.remove());

const sql = (text: string): unknown[] => {
  const file = new Database(join(project.path, '.batuta/batuta.db'));
  try {
    return text.startsWith('select') ? file.prepare(text).all([]) : [file.prepare(text).run([])];
  } finally {
    file.close();
  }
};
const idOf = async (name: string): Promise<string> => {
  const { stdout } = await project.batuta('runs', 'ls', '--json', '--flow', name, '--limit', '1');
  return String((JSON.parse(stdout) as { id: string }[])[0]?.id);
};

describe('a row that names a file of somebody else', () => {
  it('as the source of a run is refused by retry, with a code', async () => {
    expect((await project.batuta('run', 'failing')).status).toBe(1);
    const id = await idOf('failing');
    sql(`update runs set source = '${project.path}/lib/evil.ts#Failing' where id = '${id}'`);
    const { status, stderr } = await project.batuta('runs', 'retry', id);
    expect([status, stderr]).toEqual([1, expect.stringContaining('SOURCE_REFUSED')]);
    expect(existsSync(join(project.path, 'evil-was-loaded'))).toBe(false);
  });

  it('as the source of a deployment is refused by a flow that runs it, with a code', async () => {
    expect((await project.batuta('deploy', 'large')).status).toBe(0);
    sql(`update deployments set source = '${project.path}/lib/evil.ts#Evil'`);
    const { status, stdout } = await project.batuta('run', 'caller', '--json');
    expect(status).toBe(1);
    expect(stdout).toContain('SOURCE_REFUSED');
    expect(existsSync(join(project.path, 'evil-was-loaded'))).toBe(false);
  });

  it('as a result is neither read nor removed', async () => {
    expect((await project.batuta('run', 'large')).status).toBe(0);
    const id = await idOf('large');
    mkdirSync(join(project.path, 'x'));
    writeFileSync(join(project.path, 'x/victim.json'), '{"json":"a secret"}');
    for (const table of ['task_runs', 'runs'])
      sql(
        `update ${table} set result_ref = '../../x/victim' where ${table === 'runs' ? 'id' : 'run_id'} = '${id}' and result_ref is not null`,
      );
    sql(`update results set key = '../../x/victim' where run_id = '${id}' and key = (select min(key) from results where run_id = '${id}')`);
    const inspected = await project.batuta('runs', 'inspect', id);
    expect(inspected.stdout + inspected.stderr).not.toContain('a secret');
    const removed = await project.batuta('runs', 'delete', id);
    expect([removed.status, removed.stderr]).toEqual([0, expect.stringContaining('RESULT_MISSING')]);
    expect(readFileSync(join(project.path, 'x/victim.json'), 'utf8')).toContain('a secret');
  });
});

describe('a flow outside of the place for flows that its user had run', () => {
  it.each([
    ['by its path', () => project.batuta('run', 'scripts/outside.ts'), 'outside'],
    ['from a script', () => project.node('embedded.mjs'), 'own'],
  ] as const)('%s is retried from the same place', async (_, start, name) => {
    rmSync(join(project.path, 'mended'), { force: true });
    await start();
    const id = await idOf(name);
    writeFileSync(join(project.path, 'mended'), '');
    const { status, stderr } = await project.batuta('runs', 'retry', id);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('SOURCE_REFUSED')]);
  });
});
