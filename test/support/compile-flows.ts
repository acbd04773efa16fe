/**
 * Compiles the same classes the ways users do: esbuild and TypeScript 5.9, each with legacy and with standard decorators.
 * Vitest's own compiler knows legacy decorators only.
 */
import { compileFunction } from 'node:vm';
import { transform } from 'esbuild';
import typescript from 'typescript59';
import { Flow } from '../../src/define/flow.ts';
import { Inject } from '../../src/define/inject.ts';
import { On } from '../../src/define/on.ts';
import { Task } from '../../src/define/task.ts';
import type { FlowClass } from '../../src/model/flow-types.ts';

export type Decorators = 'legacy' | 'standard';

/** One way of compiling; `name` for titles of tests. */
export interface Compiler {
  readonly name: string;
  readonly decorators: Decorators;
  toJs(code: string): Promise<string>;
}

export const compilers: readonly Compiler[] = (['legacy', 'standard'] as const).flatMap((decorators) => [
  { name: `esbuild, ${decorators} decorators`, decorators, toJs: (code: string) => withEsbuild(code, decorators) },
  { name: `TypeScript, ${decorators} decorators`, decorators, toJs: async (code: string) => withTypeScript(code, decorators) },
]);

/** Defines classes from their source, in which `Flow`, `Task`, `On`, `Inject` and what is `given` are there; gives them by name. */
export async function defineFlows(
  compiler: Compiler,
  code: string,
  given: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, FlowClass>>> {
  const names = new Set([...code.matchAll(/\bclass ([\p{L}$_][\p{L}\p{N}$_]*)/gu)].map(([, name]) => name));
  const js = await compiler.toJs(code);
  const define = compileFunction(`${js}\nreturn { ${[...names].join(', ')} };`, [
    'Flow',
    'Task',
    'On',
    'Inject',
    ...Object.keys(given),
  ]) as (...decorators: unknown[]) => Record<string, FlowClass>;
  return define(Flow, Task, On, Inject, ...Object.values(given));
}

async function withEsbuild(code: string, decorators: Decorators): Promise<string> {
  const compilerOptions = { experimentalDecorators: decorators === 'legacy', target: 'ES2022' };
  return (await transform(code, { loader: 'ts', target: 'node20', tsconfigRaw: { compilerOptions } })).code;
}

function withTypeScript(code: string, decorators: Decorators): string {
  const compilerOptions = {
    experimentalDecorators: decorators === 'legacy',
    target: typescript.ScriptTarget.ES2022,
    module: typescript.ModuleKind.ESNext,
  };
  return typescript.transpileModule(code, { compilerOptions }).outputText;
}
