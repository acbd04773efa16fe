/** Replaces resources, and detects replacements of none. */
import { BatutaError } from '../base/errors.ts';
import { hintFor, nearestNames } from '../base/nearest.ts';
import type { ResourceContext } from '../model/context.ts';
import { isResource, type Resource, type ResourceScopeName } from '../model/resource.ts';

/** Replacement of a resource: its value, or a function or generator function that opens one as the resource's own would. */
export type ResourceFake<T, K, S extends ResourceScopeName> =
  | T
  | ((
      ctx: ResourceContext<S>,
      key: K,
    ) => T | Promise<T> | Generator<T | Promise<T>, unknown, undefined> | AsyncGenerator<T, unknown, undefined>);

/** A resource and its replacement; made by `override()`. */
export interface ResourceOverride {
  /** Name of the resource. */
  readonly name: string;
  readonly fake: unknown;
}

/** By the names of resources, unchecked; or a list of `override(resource, fake)`, checked against their types. */
export type ResourceOverrides = Readonly<Record<string, unknown>> | readonly ResourceOverride[];

/**
 * For the option `resources` of `testFlow`: replaces a resource with `fake`. The compiler checks it against the resource's type.
 *
 * @param fake a value, used unchanged, or a function, which opens it; so a value that is a function must be returned by a function
 * @throws BatutaError OPTION_INVALID if `resource` is not a resource
 * @example ```ts await testFlow(Load, {}, { resources: [override(warehouse, { count: async () => 7 })] }); ```
 */
export function override<T, K, S extends ResourceScopeName>(
  resource: Resource<T, K, S>,
  fake: ResourceFake<NoInfer<T>, NoInfer<K>, NoInfer<S>>,
): ResourceOverride {
  if (!isResource(resource))
    throw new BatutaError('OPTION_INVALID', 'override() takes a resource, made by resource(), as its first argument.');
  return { name: resource.name, fake };
}

/** Replacements of resources in a test, and the resources that were opened, or would have been. */
export class Fakes {
  readonly #fakes: ReadonlyMap<string, unknown>;
  /** Whether a name may be mistyped: not in a list made by `override()`. */
  readonly #areNamesFree: boolean;
  readonly #opened = new Set<string>();

  /** @throws BatutaError USAGE if two replace one resource */
  constructor(overrides: ResourceOverrides) {
    const pairs = isList(overrides) ? overrides.map(({ name, fake }) => [name, fake] as const) : Object.entries(overrides);
    this.#fakes = new Map(pairs);
    this.#areNamesFree = !isList(overrides);
    const twice = pairs.find(([name], at) => pairs.findIndex(([other]) => other === name) < at);
    if (twice) throw new BatutaError('USAGE', `Two overrides stand in the place of the resource '${twice[0]}'; give one.`);
  }

  has(name: string): boolean {
    this.#opened.add(name);
    return this.#fakes.has(name);
  }

  get(name: string): unknown {
    return this.#fakes.get(name);
  }

  /**
   * Checks for unused overrides: one whose name is similar to that of a resource that was really opened is a mistake; any other
   * may belong to a task that did not run, and causes a warning.
   *
   * @param flow for messages
   * @param declared names of the resources the flow is known to have, opened or not
   * @throws BatutaError USAGE
   */
  checkUse(flow: string, declared: readonly string[]): void {
    if (!this.#areNamesFree) return;
    const known = [...new Set([...declared, ...this.#opened])];
    for (const name of this.#fakes.keys()) {
      if (known.includes(name)) continue;
      const others = known.filter((other) => !this.#fakes.has(other));
      const message = `No resource '${name}' was opened in the test of ${flow}, so its replacement was not used.${hintFor(name, others, 'Opened were')}`;
      if (nearestNames(name, others, 1).length > 0) throw new BatutaError('USAGE', message, { details: { override: name, opened: known } });
      process.emitWarning(message, { code: 'BATUTA_OVERRIDE_UNUSED' });
    }
  }
}

function isList(overrides: ResourceOverrides): overrides is readonly ResourceOverride[] {
  return Array.isArray(overrides);
}
