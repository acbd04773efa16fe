/** Loads a user's file and finds the flows it exports. */
import { resolve } from 'node:path';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import type { FlowClass } from '../model/flow-types.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { Bundle } from './bundle-cache.ts';
import { definitionFrom, isFlowClass } from './definition.ts';
import { shownPath } from './load-errors.ts';
import { createRegistry } from './registry.ts';
import { bundleOf, importBundle } from './user-file.ts';

/** A flow found in a file. `definition.source` says where, `definition.version` is the hash of its code. */
export interface LoadedFlow {
  readonly definition: FlowDefinition;
  readonly flowClass: FlowClass;
  /** All the user's own files it was made from, absolute. */
  readonly inputs: readonly string[];
}

export interface LoadOptions {
  /** Base of relative paths. Default: the working directory. */
  readonly cwd?: string | undefined;
}

/**
 * Loads a file and returns the flows it exports, sorted by name, if any.
 *
 * A file unchanged since it was last loaded, by any process, is imported without compiling.
 *
 * @throws BatutaError FILE_NOT_FOUND, FILE_NOT_COMPILED, FILE_NOT_LOADED, FLOW_DUPLICATE, and what registration throws
 */
export async function loadFlowFile(path: string, options: LoadOptions = {}): Promise<LoadedFlow[]> {
  const file = resolve(options.cwd ?? process.cwd(), path);
  return flowsOf(file, await bundleOf(file));
}

/** The flows of a bundle. @throws like `loadFlowFile`, except FILE_NOT_FOUND and FILE_NOT_COMPILED */
export async function flowsOf(file: string, bundle: Bundle): Promise<LoadedFlow[]> {
  const exported = await importBundle(file, bundle);
  const inputs = bundle.inputs.map((input) => input.path);
  const classes = new Map<FlowClass, string>();
  for (const [name, value] of Object.entries(exported)) {
    // A class exported under two names counts once, preferably under its own name.
    if (isFlowClass(value) && (!classes.has(value) || classes.get(value) === 'default')) classes.set(value, name);
  }
  const registry = createRegistry();
  const flows: LoadedFlow[] = [];
  for (const [flowClass, exportName] of classes) {
    try {
      const definition = definitionFrom(flowClass, { file, exportName, version: bundle.version, module: bundle.module });
      registry.add(definition);
      flows.push({ definition, flowClass, inputs });
    } catch (error) {
      if (!isBatutaError(error)) throw error;
      throw new BatutaError(error.code, `${shownPath(file)}: ${error.message}`, { cause: error, details: { ...error.details, file } });
    }
  }
  return flows.sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1));
}
