/**
 * What the compiler knows of a pipeline: the data's fields as they grow from step to step, and whether each step finds what it takes.
 *
 * `D` is the data at a place, `O` what steps have added since counting began, `S` a list of steps.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { FlowContext, TaskContext } from '../../model/context.ts';
import type { RetryOptions } from '../../define/task.ts';
import type { Duration } from '../../base/duration.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- what a step takes is checked by `Checked`.
export type Any = any;

/** A step as a function: takes the data, returns fields to merge into it, or nothing. */
export type StepFunction<D = Any, R = unknown> = (data: D, ctx: TaskContext) => R;

/** A step as an object: calls `run(data, ctx)`, or without one `call(data, ctx)`. */
export type StepObject = { run(data: Any, ctx: TaskContext): unknown } | { call(data: Any, ctx: TaskContext): unknown };

/** Options of one step; like `@Task`. */
export interface StepOptions extends RetryOptions {
  /** Longest time of one attempt. Default none. */
  readonly timeout?: Duration | undefined;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Higher starts first among waiting steps. Default 0. */
  readonly priority?: number | undefined;
}

/** A pipeline: the class of a flow. `In` is its input, `Out` all fields at its end, including the input. */
export interface Pipeline<In extends object = Any, Out extends object = Any, Raw = In> {
  new (): { run(params: In, ctx?: FlowContext): Promise<Out> };
  /** The schema of its input. */
  readonly params: StandardSchemaV1<Raw, In>;
}

/** One step, or a nested pipeline: what is called, its name, its version, options. */
export type StepTuple =
  | readonly [step: StepFunction | StepObject | Pipeline, name: string, version?: string, options?: StepOptions]
  | readonly [step: StepFunction | StepObject | Pipeline, name: string, options: StepOptions];

/** Steps that run if a condition holds. Made by `when`. */
export interface WhenGroup<C = StepFunction, S = readonly Any[]> {
  readonly group: 'when';
  readonly condition: C;
  readonly steps: S;
}

/** Steps that run once per item of a list. Made by `forEach`. */
export interface ForEachGroup<L = Any, A extends string = string, I extends string = string, S = readonly Any[]> {
  readonly group: 'forEach';
  readonly list: L;
  readonly as: A;
  readonly into: I;
  readonly concurrency: number;
  readonly steps: S;
}

/** Steps, or lists of steps, that run at the same time. Made by `parallel`. */
export interface ParallelGroup<S = readonly Any[]> {
  readonly group: 'parallel';
  readonly steps: S;
}

/** Steps that run in the background. Made by `background`. */
export interface BackgroundGroup<S = readonly Any[]> {
  readonly group: 'background';
  readonly steps: S;
}

/** Element of a list of steps. */
export type AnyStep =
  | StepTuple
  | WhenGroup<StepFunction, readonly AnyStep[]>
  | ForEachGroup<Any, string, string, readonly AnyStep[]>
  | ParallelGroup<readonly AnyBranch[]>
  | BackgroundGroup<readonly AnyStep[]>;

/** Element of the list of `parallel`. */
export type AnyBranch = AnyStep | readonly AnyStep[];

/**
 * The data overridden by fields; optional fields keep what was there. An intersection if they share no field: the compiler resolves it at
 * once, and a long list of steps would otherwise be too deep.
 */
export type Merge<D, O> = keyof O & keyof D extends never
  ? D & O
  : Omit<D, keyof O> & { [K in keyof O]: K extends keyof D ? ({} extends Pick<O, K> ? D[K] | Exclude<O[K], undefined> : O[K]) : O[K] };

type InputOf<F> = F extends new () => { run(params: infer P, ...more: Any[]): unknown }
  ? P
  : F extends (...args: infer P) => unknown
    ? P[0]
    : F extends { run(...args: infer P): unknown }
      ? P[0]
      : F extends { call(...args: infer P): unknown }
        ? P[0]
        : unknown;

type OutputOf<F> = F extends new () => { run(...args: Any[]): infer R }
  ? Fields<Awaited<R>>
  : F extends (...args: Any[]) => infer R
    ? Fields<Awaited<R>>
    : F extends { run(...args: Any[]): infer R }
      ? Fields<Awaited<R>>
      : F extends { call(...args: Any[]): infer R }
        ? Fields<Awaited<R>>
        : {};

type Nothing = void | undefined | null;
/** The fields of a step's result; all are optional if it may return nothing. */
type Fields<V> = unknown extends V ? {} : [V] extends [Nothing] ? {} : Extract<V, Nothing> extends never ? V : Partial<Exclude<V, Nothing>>;

type ItemOf<L, D> = L extends keyof D
  ? D[L] extends readonly (infer T)[]
    ? T
    : never
  : L extends (...args: Any[]) => readonly (infer T)[]
    ? T
    : never;

/** What the compiler gathers of a list of steps: the data after it, and what each step must be. */
export type Chain<S extends readonly unknown[], D, Checked extends readonly unknown[] = readonly []> = S extends readonly [
  infer H,
  ...infer R,
]
  ? Chain<R, Merge<D, GivenBy<H, D>>, readonly [...Checked, CheckedStep<H, D>]>
  : // Before the compiler knows the list there must be no constraint, else functions in it get no types.
    number extends S['length']
    ? { readonly data: D; readonly checked: unknown }
    : { readonly data: D; readonly checked: Checked };

/** The fields a list of steps adds. */
type GivenByList<S extends readonly unknown[], D, O = {}> = S extends readonly [infer H, ...infer R]
  ? GivenByList<R, Merge<D, GivenBy<H, D>>, Merge<O, GivenBy<H, D>>>
  : O;

/** The fields a list element adds for those after it. */
type GivenBy<H, D> =
  H extends WhenGroup<Any, infer S extends readonly unknown[]>
    ? Partial<GivenByList<S, D>>
    : H extends ForEachGroup<infer L, infer A, infer I, infer S extends readonly unknown[]>
      ? { [K in I]: GivenByList<S, Merge<D, { [N in A]: ItemOf<L, D> }>>[] }
      : H extends ParallelGroup<infer S extends readonly unknown[]>
        ? GivenByAll<S, D>
        : H extends BackgroundGroup
          ? {}
          : H extends readonly [infer F, string, ...unknown[]]
            ? OutputOf<F>
            : H extends readonly unknown[]
              ? GivenByList<H, D>
              : {};

type GivenByAll<S extends readonly unknown[], D, O = {}> = S extends readonly [infer H, ...infer R]
  ? GivenByAll<R, D, Merge<O, GivenBy<H, D>>>
  : O;

type CheckedAll<S extends readonly unknown[], D> = { readonly [K in keyof S]: CheckedStep<S[K], D> };

/** What an element must be in its place: a step that does not find the fields it takes is not assignable to it. */
type CheckedStep<H, D> =
  H extends WhenGroup<Any, infer S extends readonly unknown[]>
    ? WhenGroup<(data: D) => boolean | Promise<boolean>, Chain<S, D>['checked']>
    : H extends ForEachGroup<infer L, infer A, infer I, infer S extends readonly unknown[]>
      ? ForEachGroup<
          L extends string ? ListsOf<D> : (data: D) => readonly unknown[],
          A,
          I,
          Chain<S, Merge<D, { [N in A]: ItemOf<L, D> }>>['checked']
        >
      : H extends ParallelGroup<infer S extends readonly unknown[]>
        ? ParallelGroup<CheckedAll<S, D>>
        : H extends BackgroundGroup<infer S extends readonly unknown[]>
          ? BackgroundGroup<Chain<S, D>['checked']>
          : H extends readonly [infer F, string, ...unknown[]]
            ? D extends InputOf<F>
              ? unknown
              : readonly [StepThatTakes<F, D>, ...unknown[]]
            : H extends readonly unknown[]
              ? Chain<H, D>['checked']
              : unknown;

/** The same step, taking what is there. Properties, not methods: of methods the compiler compares parameters both ways. */
type StepThatTakes<F, D> = F extends new () => unknown
  ? new () => { run: (params: D) => unknown }
  : F extends (...args: Any[]) => unknown
    ? (data: D, ctx: TaskContext) => unknown
    : F extends { run(...args: Any[]): unknown }
      ? { run: (data: D, ctx: TaskContext) => unknown }
      : { call: (data: D, ctx: TaskContext) => unknown };

/** Names of the fields that hold lists. */
type ListsOf<D> = { [K in keyof D]: D[K] extends readonly unknown[] ? K : never }[keyof D];

/** What the file may use. */
export type YamlFunctions = Readonly<Record<string, unknown>>;
