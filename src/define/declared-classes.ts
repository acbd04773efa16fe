/**
 * Flow classes that the program of this process has defined itself, by their files: a run of one is continued with the class that is there, as
 * to load its file would be to run the program again. Classes of files that are loaded for their flows belong to whoever loads them.
 */
import { currentLoading } from '../model/loading.ts';
import type { FlowClass } from '../model/flow-types.ts';

const key = Symbol.for('batuta.declaredClasses');
type Holder = { [key]?: Map<string, Set<FlowClass>> };
const byFile: Map<string, Set<FlowClass>> = ((globalThis as Holder)[key] ??= new Map<string, Set<FlowClass>>());

/** Called as `@Flow` is put on a class. */
export function noteClass(cls: FlowClass, file: string | null): void {
  const mark = currentLoading();
  if (mark !== undefined) mark.classes.add(cls);
  else if (file !== null) byFile.set(file, (byFile.get(file) ?? new Set()).add(cls));
}

/** Those of a file, the newest first. */
export function declaredIn(file: string): readonly FlowClass[] {
  return [...(byFile.get(file) ?? [])].reverse();
}
