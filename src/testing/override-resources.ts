/** Puts others in the place of resources, and notices those that stand in the place of none. */
import { BatutaError } from '../base/errors.ts';
import { hintFor, nearestNames } from '../base/nearest.ts';
import type { ResourceContext } from '../model/context.ts';
import { isResource, type Resource, type ResourceScopeName } from '../model/resource.ts';

/** What may stand in the place of a resource: its value, or a function or generator function that opens one as that of the resource would. */
export type ResourceFake<T, K, S extends ResourceScopeName> =
  | T
  | ((
      ctx: ResourceContext<S>,
      key: K,
    ) => T | Promise<T> | Generator<T | Promise<T>, unknown, undefined> | AsyncGenerator<T, unknown, undefined>);

/** A resource and what is opened in its place; made by `override()`. */
export interface ResourceOverride {
  /** Name of the resource. */
  readonly name: string;
  readonly fake: unknown;
}

/** By the names of resources, unchecked; or a list of `override(resource, fake)`, checked against their types. */
export type ResourceOverrides = Readonly<Record<string, unknown>> | readonly ResourceOverride[];

/**
 * For the option `resources` of `testFlow`: puts `fake` in the place of a resource. The compiler holds it to what the resource gives.
 *
 * @param fake a value, which is given as it is, or a function, which opens it; so what is a function itself is given by a function
 * @throws BatutaError OPTION_INVALID for what is no resource
 * @example
 * ```ts
 * await testFlow(Load, {}, { resources: [override(warehouse, { count: async () => 7 })] });
 * ```
 */
export function override<T, K, S extends ResourceScopeName>(
  resource: Resource<T, K, S>,
  fake: ResourceFake<NoInfer<T>, NoInfer<K>, NoInfer<S>>,
): ResourceOverride {
  if (!isResource(resource))
    throw new BatutaError('OPTION_INVALID', 'override() takes a resource, made by resource(), as its first argument.');
  return { name: resource.name, fake };
}

/** What stands in the place of resources during a test, and which resources were opened, or would have been. */
export class Fakes {
  readonly #fakes: ReadonlyMap<string, unknown>;
  /** Whether a name may have been mistyped: of a list made by `override()` none. */
  readonly #areNamesFree: boolean;
  readonly #opened = new Set<string>();

  /** @throws BatutaError USAGE where two stand in the place of one resource */
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
   * Looks for overrides that nothing has used: one whose name is much like that of a resource which was opened for real is a mistake, another
   * may belong to a task that did not run, and is warned of.
   *
   * @param flow for messages
   * @param declared names of the resources that the flow is known to have, opened or not
   * @throws BatutaError USAGE
   */
  checkUse(flow: string, declared: readonly string[]): void {
    if (!this.#areNamesFree) return;
    const known = [...new Set([...declared, ...this.#opened])];
    for (const name of this.#fakes.keys()) {
      if (known.includes(name)) continue;
      const others = known.filter((other) => !this.#fakes.has(other));
      const message = `No resource '${name}' was opened in the test of ${flow}, so what stands in its place was not used.${hintFor(name, others, 'Opened were')}`;
      if (nearestNames(name, others, 1).length > 0) throw new BatutaError('USAGE', message, { details: { override: name, opened: known } });
      process.emitWarning(message, { code: 'BATUTA_OVERRIDE_UNUSED' });
    }
  }
}

function isList(overrides: ResourceOverrides): overrides is readonly ResourceOverride[] {
  return Array.isArray(overrides);
}
