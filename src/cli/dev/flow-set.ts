/** The current flows of a project, each in its last good version: a file that does not load keeps its previous flows. */
import { type LoadedFlows, loadFlows } from '../../define/load-flows.ts';
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import { hintFor } from '../../base/nearest.ts';
import type { FlowDefinition } from '../../model/flow.ts';

/** Result of one reload of the files. */
export interface FlowNews {
  readonly changes: readonly { readonly name: string; readonly what: 'new' | 'changed' | 'gone'; readonly version: string }[];
  /** Load errors that are new since the previous reload. */
  readonly broken: readonly BatutaError[];
  /** Files that load again. */
  readonly mended: readonly string[];
}

export interface FlowSetOptions {
  /** Folders or files that contain flows. */
  readonly paths: readonly string[];
  readonly cwd: string;
}

export class FlowSet {
  readonly #options: FlowSetOptions;
  #flows: ReadonlyMap<string, FlowDefinition> = new Map();
  #broken: ReadonlyMap<string, string> = new Map();
  readonly #inputs = new Map<string, readonly string[]>();

  constructor(options: FlowSetOptions) {
    this.#options = options;
  }

  /** By name. */
  get flows(): readonly FlowDefinition[] {
    return [...this.#flows.values()];
  }

  /** Absolute path of every file the flows were built from; for a broken file those of its last good version. */
  get inputs(): ReadonlySet<string> {
    return new Set([...this.#inputs.values()].flat());
  }

  /** @throws BatutaError FLOW_NOT_FOUND */
  get(name: string): FlowDefinition {
    const found = this.#flows.get(name) ?? this.flows.find(({ className }) => className === name);
    if (found) return found;
    throw new BatutaError('FLOW_NOT_FOUND', `There is no flow '${name}'.${hintFor(name, [...this.#flows.keys()], 'The flows are')}`, {
      details: { flow: name },
    });
  }

  /** Reloads what has changed. Never throws because of a file's content. */
  async reload(): Promise<FlowNews> {
    const { paths, cwd } = this.#options;
    const loaded = await loadFlows(paths, { cwd }).catch((error: unknown): LoadedFlows => {
      if (!isBatutaError(error, 'FILE_NOT_FOUND')) throw error;
      return { flows: [], broken: [{ file: String(error.details['file'] ?? ''), error }], inputs: new Map() };
    });
    const before = this.#flows;
    const brokenBefore = this.#broken;
    this.#flows = new Map([...this.#kept(loaded), ...loaded.flows].map((flow) => [flow.name, flow]));
    for (const file of this.#inputs.keys())
      if (!loaded.inputs.has(file) && !loaded.broken.some((one) => one.file === file)) this.#inputs.delete(file);
    for (const [file, inputs] of loaded.inputs) this.#inputs.set(file, inputs);
    this.#broken = new Map(loaded.broken.map(({ file, error }) => [file, error.message]));
    return {
      changes: changesOf(before, this.#flows),
      broken: loaded.broken.filter(({ file, error }) => brokenBefore.get(file) !== error.message).map(({ error }) => error),
      mended: [...brokenBefore.keys()].filter((file) => !this.#broken.has(file)),
    };
  }

  /** Previous flows whose file is now broken, or whose name is claimed twice. */
  #kept({ broken }: LoadedFlows): FlowDefinition[] {
    const files = new Set(broken.filter(({ error }) => error.code !== 'FLOW_DUPLICATE').map(({ file }) => file));
    const names = new Set(broken.map(({ error }) => error.details['flow']));
    return this.flows.filter(({ name, source }) => names.has(name) || (source !== null && files.has(source.file)));
  }
}

function changesOf(before: ReadonlyMap<string, FlowDefinition>, after: ReadonlyMap<string, FlowDefinition>): FlowNews['changes'] {
  const gone = [...before.values()]
    .filter(({ name }) => !after.has(name))
    .map(({ name, version }) => ({ name, what: 'gone' as const, version }));
  const present = [...after.values()].flatMap(({ name, version }) => {
    const old = before.get(name);
    if (old?.version === version) return [];
    return [{ name, what: old ? ('changed' as const) : ('new' as const), version }];
  });
  return [...gone, ...present];
}
