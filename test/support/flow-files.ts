/** Projects with flow files in them, which go with the test that asked for them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { LoadedFlow } from '../../src/define/load.ts';
import { makeProject, type ProjectFolder } from './project-folder.ts';

/** A `tsconfig.json` that asks for legacy decorators. */
export const legacy = JSON.stringify({ compilerOptions: { experimentalDecorators: true, target: 'ES2022' } });
/** A `tsconfig.json` that asks for standard decorators. */
export const standard = JSON.stringify({ compilerOptions: { experimentalDecorators: false, target: 'ES2022' } });

/** A file with one flow, whose only task `a` does this. */
export const oneFlow = (name: string, body = 'return 1'): string =>
  `import { Flow, Task } from 'batuta';\n@Flow()\nexport class ${name} {\n  @Task()\n  a() { ${body} }\n}\n`;

export function ownProject(files: Readonly<Record<string, string>> = {}, options: { readonly modules?: boolean } = {}): ProjectFolder {
  const project = makeProject(files, options);
  onTestFinished(() => project.remove());
  return project;
}

/** What the task `a` of a flow gives. */
export const callTask = (loaded: LoadedFlow | undefined): unknown =>
  loaded?.definition.tasks.get('a')?.method.call(loaded.definition.create());

/** Bundles in the project of a file. */
export function bundlesOf(file: string): string[] {
  let folder = join(file, '..');
  while (!existsSync(join(folder, 'node_modules'))) folder = join(folder, '..');
  const cache = join(folder, 'node_modules/.cache/batuta');
  return readdirSync(cache)
    .filter((name) => name.endsWith('.mjs') && readFileSync(join(cache, name), 'utf8').length > 0)
    .map((name) => join(cache, name));
}
