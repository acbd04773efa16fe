/**
 * Files of projects whose tsconfig asks for `emitDecoratorMetadata`, which esbuild lacks and containers inject by: compiled with the
 * project's own TypeScript before bundling.
 */
// Under another name: the usual esbuild banner for programs with all packages inside declares that one itself.
import { createRequire as requireFrom } from 'node:module';
import { dirname } from 'node:path';
import type * as TypeScript from 'typescript59';

/** JavaScript of a TypeScript file, source map inline. */
export type MetadataCompiler = (path: string, text: string) => string;

/**
 * Null if the tsconfig does not ask for metadata. If it does and the project has no callable TypeScript (5.x or older), logs a warning.
 *
 * @param configs texts of the tsconfig and of those it extends
 */
export function metadataCompiler(tsconfig: string, configs: readonly string[]): MetadataCompiler | null {
  if (!asksForMetadata(configs)) return null;
  const ts = typescriptOf(tsconfig);
  if (ts === null) {
    process.emitWarning(
      `${tsconfig} asks for emitDecoratorMetadata, for which flow files need TypeScript 5 in the project: npm i -D typescript@5. ` +
        'Without it, what a container injects by type is undefined; name its token, e.g. @Inject(Repo).',
      { code: 'BATUTA_NO_METADATA' },
    );
    return null;
  }
  const { config } = ts.readConfigFile(tsconfig, (path) => ts.sys.readFile(path)) as { config: unknown };
  // The project's files are irrelevant.
  const host = { ...ts.sys, readDirectory: () => [] };
  const { options } = ts.parseJsonConfigFileContent(config, host, dirname(tsconfig));
  if (options.emitDecoratorMetadata !== true || options.experimentalDecorators !== true) return null;
  const { ES2022, ESNext } = { ES2022: ts.ScriptTarget.ES2022, ESNext: ts.ModuleKind.ESNext };
  const compilerOptions: TypeScript.CompilerOptions = {
    ...{ experimentalDecorators: true, emitDecoratorMetadata: true, inlineSourceMap: true, target: ES2022, module: ESNext },
    ...(options.useDefineForClassFields === undefined ? {} : { useDefineForClassFields: options.useDefineForClassFields }),
  };
  return (fileName, text) => ts.transpileModule(text, { fileName, compilerOptions }).outputText;
}

/** Whether a tsconfig asks for metadata that the project cannot make. @param configs as for `metadataCompiler` */
export function lacksMetadata(tsconfig: string, configs: readonly string[]): boolean {
  return asksForMetadata(configs) && typescriptOf(tsconfig) === null;
}

function asksForMetadata(configs: readonly string[]): boolean {
  return configs.some((text) => /"emitDecoratorMetadata"\s*:\s*true/.test(text));
}

/** Version 7 has no API for programs. */
function typescriptOf(tsconfig: string): typeof TypeScript | null {
  try {
    const ts = requireFrom(tsconfig)('typescript') as Partial<typeof TypeScript>;
    return typeof ts.transpileModule === 'function' ? (ts as typeof TypeScript) : null;
  } catch {
    return null;
  }
}
