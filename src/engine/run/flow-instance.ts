/** The user's object of an attempt of a run, and what its fields hold of resources. */
import { BatutaError } from '../../base/errors.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { AnyResource, ResourceScopeName } from '../../model/resource.ts';
import { type RunScope, runScope } from '../../model/run-context.ts';
import { bindFields, openFields } from '../../resources/fields.ts';
import type { ResourceScope } from '../../resources/scope.ts';
import type { EngineServices } from '../services.ts';

/** What it needs of the attempt. */
interface Attempt {
  readonly definition: FlowDefinition;
  readonly services: Pick<EngineServices, 'instantiate' | 'resources'>;
  readonly resources: ResourceScope;
  scope(context: unknown, callTask: RunScope['callTask']): RunScope;
}

export class FlowInstance {
  readonly #attempt: Attempt;
  #instance: object | null = null;
  #making: Promise<void> | null = null;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  /** The object, once it is made. */
  get value(): object {
    if (this.#instance) return this.#instance;
    throw new BatutaError('INTERNAL', `There is no instance of ${this.#attempt.definition.className} yet.`);
  }

  /**
   * Makes the object when that was not done yet. Null when it is there, else it is to be waited for.
   *
   * @throws what its constructor throws; as a rejection too
   */
  make(): Promise<void> | null {
    if (this.#instance) return null;
    if (this.#making) return this.#making;
    const { definition, services } = this.#attempt;
    const made = runScope.run(this.#attempt.scope(null, null), () => definition.create(services.instantiate));
    if (!(made instanceof Promise)) {
      this.#keep(made);
      return null;
    }
    this.#making = made.then((instance) => this.#keep(instance)).finally(() => (this.#making = null));
    return this.#making;
  }

  /** Opens what fields hold for longer than a task. @throws BatutaError RESOURCE_… */
  async openFields(scopes: readonly ResourceScopeName[]): Promise<void> {
    const { definition, services } = this.#attempt;
    // What belongs to the process is to be had after the end of the run too, as hooks need it.
    const scopeOf = ({ scope }: AnyResource): ResourceScope => (scope === 'worker' ? services.resources : this.#attempt.resources);
    await openFields(definition.injects, scopes, (resource) => scopeOf(resource).use(resource, undefined));
  }

  #keep(instance: object): void {
    const { injects } = this.#attempt.definition;
    if (injects.length > 0) bindFields(instance, injects, () => this.#attempt.resources);
    this.#instance = instance;
  }
}
