/** A set of flows with unique names. Created where needed; there is no global one. */
import { BatutaError } from '../base/errors.ts';
import { nearestNames } from '../base/nearest.ts';
import type { FlowDefinition } from '../model/flow.ts';

export interface Registry {
  /**
   * Adds a flow; the same class from the same file again has no effect. @throws BatutaError FLOW_DUPLICATE naming both classes and files
   */
  add(definition: FlowDefinition): void;
  get(name: string): FlowDefinition | undefined;
  /** All flows, sorted by name. */
  list(): readonly FlowDefinition[];
  /** The most similar names, best first, at most three. */
  nearest(name: string): readonly string[];
}

/** An empty registry. */
export function createRegistry(): Registry {
  const flows = new Map<string, FlowDefinition>();
  return {
    add(definition) {
      const present = flows.get(definition.name);
      if (present && !isSame(present, definition)) throw duplicate(present, definition);
      if (!present) flows.set(definition.name, definition);
    },
    get: (name) => flows.get(name),
    list: () => [...flows.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    nearest: (name) => nearestNames(name, flows.keys()),
  };
}

function isSame(a: FlowDefinition, b: FlowDefinition): boolean {
  return a === b || (a.source !== null && b.source !== null && a.source.file === b.source.file && a.className === b.className);
}

function duplicate(first: FlowDefinition, second: FlowDefinition): BatutaError {
  const shown = ({ className, source }: FlowDefinition): string => (source === null ? className : `${className} in ${source.file}`);
  return new BatutaError(
    'FLOW_DUPLICATE',
    `Two flows are named '${first.name}': ${shown(first)} and ${shown(second)}. Give one of them another name: @Flow({ name: '…' }).`,
    {
      details: {
        flow: first.name,
        classes: [first.className, second.className],
        files: [first.source?.file ?? null, second.source?.file ?? null],
      },
    },
  );
}
