/**
 * Types that turn a wrong wiring of tasks into a compile error.
 *
 * A decorated method must be assignable to the function type its options call for: the awaited results of the tasks in `needs`, in order,
 * then the context. The class is not known at the options, so the options keep their literal types and the check happens when the decorator
 * is applied, to `This` (standard) or the type of the prototype (legacy).
 *
 * An omitted option is `never`, which no value is: `undefined` would pass for a name without `strictNullChecks`.
 */
import type { ContextWithTx, SqlResource, TransactionContext } from '../effects/context.ts';
import type { TaskContext } from '../model/context.ts';
import type { RecordOf } from '../model/streams.ts';
import type { CacheFunction } from './cache-option.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- a decorator must take methods of every signature.
export type Any = any;
export type Fn = (...args: Any[]) => unknown;

/** Shown by the compiler instead of a function type; the text is the message. */
export interface Fault<Message extends string> {
  readonly __error: Message;
}

/** What task `K` of flow `T` returns, awaited; of a stream, its records. For parameters: `rows: Out<FlightDelays, 'join'>`. */
export type Out<T, K extends keyof T> = T[K] extends (...args: Any[]) => infer R ? Handed<Awaited<R>> : never;

/** A streaming task passes on its records as they arrive, without positions. */
type Handed<R> = 0 extends 1 & R ? R : R extends AsyncGenerator<infer Item, Any, Any> ? AsyncIterable<RecordOf<Item>> : R;

/** Method names as a tuple. */
export type Names = readonly string[];

/** The wiring in a task's options. */
export interface Wiring {
  readonly rollback: string;
  /** The functions of its cache. */
  readonly key: CacheFunction;
  readonly refresh: CacheFunction;
  readonly needs: Names;
  readonly after: Names;
  readonly each: string;
  readonly when: When;
  readonly transaction: SqlResource;
}

/** A condition; its parameters are checked against the task's. */
export type When = (...args: Any[]) => boolean | Promise<boolean>;

/**
 * The wiring from options. Inferred again on purpose: in the result of `Task()`, TypeScript would otherwise guess `N` from the decorated
 * method and forget that no `needs` means none.
 */
export type WiringOf<
  N extends Names,
  A extends Names,
  E extends string,
  W extends When,
  B extends string,
  K extends CacheFunction,
  F extends CacheFunction,
  R extends SqlResource,
> = [N, A, E, W, B, K, F, R] extends [
  infer N2 extends Names,
  infer A2 extends Names,
  infer E2 extends string,
  infer W2 extends When,
  infer B2 extends string,
  infer K2 extends CacheFunction,
  infer F2 extends CacheFunction,
  infer R2 extends SqlResource,
]
  ? { needs: N2; after: A2; each: E2; when: W2; rollback: B2; key: K2; refresh: F2; transaction: R2 }
  : never;

/** Names without a public method of T. */
export type Missing<T, N extends Names> = { [I in keyof N]: N[I] extends keyof T ? (T[N[I]] extends Fn ? never : N[I]) : N[I] }[number];

/**
 * What the tasks in `needs` pass on, in order. Which of them is mapped is in its decorator, beyond the reach of types. A mapped task yields
 * the list of its results, so each name stands for its result or for a list of it: a union of tuples, which doubles with every name and
 * therefore offers lists for up to six.
 */
type Inputs<T, N extends Names> = N extends readonly [...SixNames, string, ...Names]
  ? { [I in keyof N]: ResultOfNeed<T, N[I]> }
  : N extends readonly [infer First, ...infer Rest extends Names]
    ? [ResultOfNeed<T, First>, ...Inputs<T, Rest>] | [ResultOfNeed<T, First>[], ...Inputs<T, Rest>]
    : { [I in keyof N]: ResultOfNeed<T, N[I]> };
type SixNames = [string, string, string, string, string, string];
type ResultOfNeed<T, K> = K extends keyof T ? Out<T, K> : never;

type AnyList = readonly Any[] | Iterable<Any> | AsyncIterable<Any>;
/** Text is iterable too, by characters, which nobody means. `any` may be a list. */
type IsList<R> = [R] extends [AnyList] ? ([R] extends [string] ? (0 extends 1 & R ? true : false) : true) : false;
type ItemOf<A> = A extends readonly (infer E)[] ? E : A extends AsyncIterable<infer E> ? E : A extends Iterable<infer E> ? E : never;
/** Whether a task may be mapped itself: one that takes only the context is not. */
type TakesInput<M> = M extends (...args: infer A) => unknown
  ? Required<A> extends readonly [infer First, ...Any[]]
    ? [First] extends [ContextLike]
      ? 0 extends 1 & First
        ? true
        : false
      : true
    : false
  : false;
interface ContextLike {
  readonly task: TaskContext['task'];
  readonly signal: AbortSignal;
}

/** With `transaction` the context has `tx`. */
type ContextOf<W extends Wiring> = [W['transaction']] extends [never] ? TaskContext<Any> : TransactionContext<W['transaction'], Any>;

/** The arguments the engine passes to the task. `any` as parameters lets a method use `TaskContext<typeof Flow>`. */
type Arguments<T, W extends Wiring> =
  Inputs<T, W['needs']> extends infer I
    ? I extends readonly unknown[]
      ? [W['each']] extends [never]
        ? [...inputs: I, ctx: ContextOf<W>]
        : W['each'] extends keyof T
          ? EachArguments<Out<T, W['each']>, TakesInput<T[W['each']]>, I, ContextOf<W>>
          : never
      : never
    : never;
/**
 * The item is from the task's list or, if that task may be mapped itself, its whole result, of which there is then a list. One tuple for
 * each, so that a method takes either, not both.
 */
type EachArguments<R, MayBeMapped, I extends readonly unknown[], C> =
  IsList<R> extends true
    ? MayBeMapped extends true
      ? [item: ItemOf<R>, ...inputs: I, ctx: C] | [item: R, ...inputs: I, ctx: C]
      : [item: ItemOf<R>, ...inputs: I, ctx: C]
    : [item: R, ...inputs: I, ctx: C];

/** A function with these arguments; for a union, one per member, any of which will do. */
type Taking<A> = A extends readonly unknown[] ? (...args: A) => unknown : never;

/** In a code flow arguments come from the calls in `run`, so parameters are free and wiring options are refused. */
type WantedInCode<W extends Wiring> = W['needs'] extends readonly []
  ? W['after'] extends readonly []
    ? [W['each']] extends [never]
      ? Fn
      : Fault<"each: a class with run() is wired by the calls in run(); leave 'each' out">
    : Fault<"after: a class with run() is wired by the calls in run(); leave 'after' out">
  : Fault<"needs: a class with run() is wired by the calls in run(); leave 'needs' out">;

type WantedInGraph<T, W extends Wiring> = [Missing<T, W['needs']>] extends [never]
  ? [Missing<T, W['after']>] extends [never]
    ? [W['each']] extends [never]
      ? WantedWithWhen<T, W>
      : W['each'] extends keyof T
        ? IsList<Out<T, W['each']>> extends true
          ? WantedWithWhen<T, W>
          : TakesInput<T[W['each']]> extends true
            ? WantedWithWhen<T, W>
            : Fault<`each: the result of '${W['each']}' is no list`>
        : Fault<`each: '${W['each']}' is not a public method of this class`>
    : Fault<`after: '${Missing<T, W['after']> & string}' is not a public method of this class`>
  : Fault<`needs: '${Missing<T, W['needs']> & string}' is not a public method of this class`>;

type WantedWithWhen<T, W extends Wiring> =
  W['when'] extends Taking<Arguments<T, W>>
    ? Taking<Arguments<T, W>> | Fault<'parameters: they are the results of the tasks in needs, in order, then the context'>
    : Fault<'when: its parameters are not the results of the tasks in needs, in order, then the context'>;

/** What a method must be assignable to for `@Task` with these options. */
export type Wanted<T, W extends Wiring> = T extends abstract new (
  ...args: Any[]
) => unknown
  ? Fault<'@Task() goes on a method of the instance, not on a static one'>
  : T extends { run: Fn }
    ? WantedInCode<W>
    : WantedInGraph<T, W>;

/** A method's result, as recorded. */
type RecordedOf<M> = M extends (...args: Any[]) => infer R
  ? R extends AsyncGenerator<infer Item, Any, Any>
    ? RecordOf<Item>[]
    : Awaited<R>
  : never;

/** Whether the undo method can take a task's result. Its context may be a transaction's: its own `@Task` says which. */
type UndoneBy<T, M, B extends string> = [B] extends [never]
  ? unknown
  : B extends keyof T
    ? T[B] extends (result: RecordedOf<M>, ctx: ContextWithTx<Any, Any>) => unknown
      ? unknown
      : Fault<`rollback: '${B}' does not take the result of the task, then a context`>
    : Fault<`rollback: '${B}' is not a public method of this class`>;

/** Whether the cache functions accept the method's arguments. For a private method, whose type is invisible, they may be any. */
type CachedBy<M, W extends Wiring> = [M] extends [(...args: infer P) => unknown]
  ? W['key'] extends (...args: P) => unknown
    ? W['refresh'] extends (...args: P) => unknown
      ? unknown
      : Fault<'cache.refresh: its parameters are not those of the task'>
    : Fault<'cache.key: its parameters are not those of the task'>
  : unknown;

/** What else the options demand of method and class. */
type AlsoWanted<T, M, W extends Wiring> = UndoneBy<T, M, W['rollback']> & CachedBy<M, W>;

type MethodAt<T, Name> = Name extends keyof T ? T[Name] : never;
type MethodOf<Spot> = Spot extends ClassMethodDecoratorContext<Any, infer M> ? M : never;

/** The context of a standard decorator on a public method of an instance. */
type MethodSpot<This> = ClassMethodDecoratorContext<This, Any> & { readonly static: false; readonly private: false };

/**
 * Result of `@Task(options)`. One signature for both modes, so that the compiler has one fault to report: a standard decorator gets the
 * method and its context, a legacy one the prototype, the name and the descriptor.
 */
export interface TaskDecorator<W extends Wiring> {
  <F, Spot extends string | MethodSpot<Any>>(
    first: Spot extends MethodSpot<infer This> ? Wanted<This, W> & AlsoWanted<This, MethodOf<Spot>, W> : F,
    spot: Spot,
    ...descriptor: Spot extends string
      ? [descriptor: { value?: (Wanted<NoInfer<F>, W> & AlsoWanted<NoInfer<F>, MethodAt<NoInfer<F>, Spot>, W>) | undefined }]
      : []
  ): void;
}
