/** The user's object in an attempt of a run, and the resources its fields hold. */
import { BatutaError } from '../../base/errors.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { AnyResource, ResourceScopeName } from '../../model/resource.ts';
import { type RunScope, runScope } from '../../model/run-context.ts';
import { bindFields, openFields } from '../../resources/fields.ts';
import type { ResourceScope } from '../../resources/scope.ts';
import type { EngineServices } from '../services.ts';

/** What it needs from the attempt. */
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

  /** The object, once made. */
  get value(): object {
    if (this.#instance) return this.#instance;
    throw new BatutaError('INTERNAL', `There is no instance of ${this.#attempt.definition.className} yet.`);
  }

  /**
   * Makes the object if it does not exist yet. Returns null if it exists, else a promise to await.
   *
   * @throws what its constructor throws; also as a rejection
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
    // The process's resources are available after the end of the run too, as hooks need them.
    const scopeOf = ({ scope }: AnyResource): ResourceScope => (scope === 'worker' ? services.resources : this.#attempt.resources);
    await openFields(definition.injects, scopes, (resource) => scopeOf(resource).use(resource, undefined));
  }

  #keep(instance: object): void {
    const { injects } = this.#attempt.definition;
    if (injects.length > 0) bindFields(instance, injects, () => this.#attempt.resources);
    this.#instance = instance;
  }
}
