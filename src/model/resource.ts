/** Resources as user code declares and receives them; `src/resources` opens and closes them. */

/** How long a resource stays open, longest first. */
export const resourceScopes = ['worker', 'run', 'task'] as const;

/** `worker`: until the process stops · `run`: for one attempt of a run · `task`: for one attempt of a task. */
export type ResourceScopeName = (typeof resourceScopes)[number];

/** Marks resources, of this or another copy of the library. */
export const resourceMark: unique symbol = Symbol.for('batuta.resource');
declare const valueType: unique symbol;
declare const keyType: unique symbol;

/**
 * Something opened before use and always closed afterwards; made by `resource()`.
 *
 * @typeParam T value of `ctx.use`
 * @typeParam K its key; `void` if it takes none
 * @typeParam S its scope
 */
export interface Resource<T = unknown, K = void, S extends ResourceScopeName = ResourceScopeName> {
  readonly name: string;
  readonly scope: S;
  /** Longest time opening may take, ms. */
  readonly openTimeoutMs: number;
  /** Longest time closing may take, ms. */
  readonly closeTimeoutMs: number;
  /** As declared: returns a generator, a disposable object, or a plain value. */
  readonly open: ResourceOpener;
  readonly [resourceMark]: true;
  /** Types only. */
  readonly [valueType]?: T;
  readonly [keyType]?: (key: K) => void;
}

// oxlint-disable-next-line typescript/no-explicit-any -- the key and the context are checked where the resource is declared.
export type ResourceOpener = (ctx: any, key: any) => unknown;

/** Any resource. */
// oxlint-disable-next-line typescript/no-explicit-any -- a key may be of any type.
export type AnyResource = Resource<unknown, any>;

/** A flow field that holds the value of a resource. */
export interface Injection {
  readonly field: string;
  readonly resource: AnyResource;
}

/** Scopes of resources that scope `S` may use: its own and longer ones. */
export type WithinReach<S extends ResourceScopeName> = S extends 'worker'
  ? 'worker'
  : S extends 'run'
    ? 'worker' | 'run'
    : ResourceScopeName;

/** The key of a resource that takes one, as an argument. */
export type KeyArgument<K> = [K] extends [void] ? [] : [key: K];

/** Whether a value was made by `resource()`. */
export function isResource(value: unknown): value is AnyResource {
  return typeof value === 'object' && value !== null && resourceMark in value;
}
