/**
 * Flow classes that this process's own program defined, by file: their runs continue with the existing class, as loading the file would run
 * the program again. Classes of files loaded for their flows belong to the loader.
 */
import { currentLoading } from '../model/loading.ts';
import type { FlowClass } from '../model/flow-types.ts';

const key = Symbol.for('batuta.declaredClasses');
type Holder = { [key]?: Map<string, Set<FlowClass>> };
const byFile: Map<string, Set<FlowClass>> = ((globalThis as Holder)[key] ??= new Map<string, Set<FlowClass>>());

/** Called when `@Flow` is applied. */
export function noteClass(cls: FlowClass, file: string | null): void {
  const mark = currentLoading();
  if (mark !== undefined) mark.classes.add(cls);
  else if (file !== null) byFile.set(file, (byFile.get(file) ?? new Set()).add(cls));
}

/** Those of a file, newest first. */
export function declaredIn(file: string): readonly FlowClass[] {
  return [...(byFile.get(file) ?? [])].reverse();
}
