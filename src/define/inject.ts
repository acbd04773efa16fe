/** `@Inject`: puts the value of a resource into a field of a flow. It only records. */
import { BatutaError } from '../base/errors.ts';
import { isResource, type Resource, type ResourceScopeName } from '../model/resource.ts';
import { bindField, notOpen } from '../resources/fields.ts';
import { readInjects, standardContext, standardHolder, writeInject } from './metadata.ts';
import type { Fault } from './wiring.ts';

// oxlint-disable-next-line typescript/ban-ts-comment -- TypeScript gives the type of a private field only to what it calls an error here.
/** @ts-ignore */
type FieldOf<C, K extends string> = C[K];

/** `Wanted` if a field of type `V` accepts the resource's value. */
type IfTaken<T, V, Wanted> = [T] extends [V] ? Wanted : Fault<'the field has another type than the value of the resource'>;

/** Result of `@Inject(resource)`; `T` is the resource's value. */
export interface InjectDecorator<T> {
  <This, V>(
    value: undefined,
    context: IfTaken<T, V, ClassFieldDecoratorContext<This, V> & { readonly static: false; readonly private: false }>,
  ): void;
  <C extends object, const K extends string>(target: C, key: IfTaken<T, FieldOf<C, K>, K>): void;
}

/**
 * Puts the value of a resource into the field: open before a task of the flow begins, and while its scope lasts. Outside a run the field is
 * ordinary, to be assigned in a test; if a task is called without it, reading it throws `RESOURCE_CLOSED`.
 *
 * @throws BatutaError DECORATOR_MISPLACED on anything but an instance field, OPTION_INVALID if it is not a resource
 * @example
 * ```ts
 * @Inject(warehouse) private readonly pool!: Pool;
 * ```
 */
export function Inject<T, S extends ResourceScopeName>(resource: Resource<T, void, S>): InjectDecorator<T> {
  if (!isResource(resource)) throw new BatutaError('OPTION_INVALID', '@Inject() takes a resource, made by resource().');
  const decorate = (first: unknown, second: unknown, third: unknown): void => {
    const context = standardContext(second);
    if (context ? !isField(context) : !isLegacyField(first, second, third)) throw misplaced(context ? context.name : second);
    const field = String(context ? context.name : second);
    const holder = context ? standardHolder(context) : { prototype: first as object };
    if (!writeInject(holder, { field, resource }))
      throw new BatutaError('DECORATOR_MISPLACED', `${field} has @Inject() twice; keep one.`, { details: { place: field } });
    hasFields = true;
  };
  return decorate as InjectDecorator<T>;
}

function isField({ kind, name, ...more }: DecoratorContext): boolean {
  return kind === 'field' && typeof name === 'string' && !('static' in more && more.static) && !('private' in more && more.private);
}

function isLegacyField(target: unknown, key: unknown, descriptor: unknown): boolean {
  const isInstance = typeof target === 'object' && target !== null;
  return isInstance && typeof key === 'string' && typeof descriptor !== 'number' && !Object.hasOwn(target, key);
}

function misplaced(name: unknown): BatutaError {
  return new BatutaError(
    'DECORATOR_MISPLACED',
    `${String(name)}: @Inject() goes on a field of the instance, public or private, not on a #field.`,
  );
}

/** Whether any class of this process has such a field: otherwise calls need no check. */
let hasFields = false;

/** Makes an object's fields without values throw when read, for code called outside a run. */
export function guardFields(instance: object): void {
  if (!hasFields || typeof instance !== 'object' || instance === null) return;
  for (const { field, resource } of readInjects(instance.constructor as never)) {
    const own = Object.getOwnPropertyDescriptor(instance, field);
    if (own === undefined ? (instance as Record<string, unknown>)[field] !== undefined : own.get || own.value !== undefined) continue;
    bindField(instance, field, () => {
      throw notOpen(field, resource.name);
    });
  }
}
