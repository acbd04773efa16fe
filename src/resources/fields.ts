/** Fields of flows that hold the values of resources. */
import { BatutaError } from '../base/errors.ts';
import { currentScope } from '../model/run-context.ts';
import type { AnyResource, Injection } from '../model/resource.ts';
import type { ResourceScope } from './scope.ts';

/**
 * Makes the fields of an instance return open values: for scope `task`, that of the task that reads it.
 *
 * @param scope of the run
 */
export function bindFields(instance: object, injects: readonly Injection[], scope: () => ResourceScope): void {
  for (const { field, resource } of injects)
    bindField(instance, field, () => {
      const found = resource.scope === 'task' ? currentScope()?.peek?.(resource) : scope().peek(resource);
      if (!found) throw notOpen(field, resource.name);
      return found.value;
    });
}

/** Opens the resources of a flow's fields, in order. @param use opens one, or returns it if it is open */
export async function openFields(
  injects: readonly Injection[],
  scopes: readonly AnyResource['scope'][],
  use: (resource: AnyResource) => Promise<unknown>,
): Promise<void> {
  for (const { resource } of injects) if (scopes.includes(resource.scope)) await use(resource);
}

/** Makes a field fetch its value on each read, until one is assigned. */
export function bindField(instance: object, field: string, read: () => unknown): void {
  Object.defineProperty(instance, field, {
    configurable: true,
    enumerable: true,
    get: read,
    set(value: unknown) {
      Object.defineProperty(instance, field, { configurable: true, enumerable: true, writable: true, value });
    },
  });
}

/** Why a field has no value. */
export function notOpen(field: string, resource: string): BatutaError {
  return new BatutaError(
    'RESOURCE_CLOSED',
    `The field ${field} has no value: its resource '${resource}' is not open here. In a unit test assign the field; in a flow use it while its run or task is running.`,
    { details: { field, resource } },
  );
}
