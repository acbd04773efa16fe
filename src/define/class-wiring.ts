/** Types that check a flow class's declarations: its parameters, its result, and the contexts of its methods. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { HookContext, TaskContext } from '../model/context.ts';
import type { Any, Fault, Fn, Missing } from './wiring.ts';

type IsAny<T> = 0 extends 1 & T ? true : false;

/**
 * Result of `@Flow(options)`; `S` is the schema in the options, `R` the name of the task whose value is the flow's, each `never` if not
 * given.
 */
export interface FlowDecorator<S, R extends string> {
  <C extends new (...args: Any[]) => object>(value: WantedClass<C, S, R>, context?: ClassDecoratorContext<C>): void;
}

type WantedClass<C extends new (...args: Any[]) => object, S, R extends string> = C extends { readonly params: infer P }
  ? [S] extends [never]
    ? P extends StandardSchemaV1
      ? WantedResult<C, P, R>
      : Fault<'static params: it is not a schema; give a zod, valibot or arktype schema'>
    : Fault<'params: the class has static params already; say it once'>
  : WantedResult<C, S, R>;

type WantedResult<C extends new (...args: Any[]) => object, S, R extends string> = C extends { readonly result: infer K }
  ? [R] extends [never]
    ? K extends string
      ? string extends K
        ? Fault<"static result: write it readonly, so that its type is the name: static readonly result = 'task'">
        : WantedNamed<C, S, K, 'static result'>
      : Fault<'static result: it is not the name of a task'>
    : Fault<'result: the class has a static result already; say it once'>
  : WantedNamed<C, S, R, 'result'>;

type WantedNamed<C extends new (...args: Any[]) => object, S, R extends string, Place extends string> = [R] extends [never]
  ? WantedContexts<C, S>
  : [Missing<InstanceType<C>, readonly [R]>] extends [never]
    ? InstanceType<C> extends { run: Fn }
      ? Fault<`${Place}: a class with run() returns what run() returns; leave it out`>
      : WantedContexts<C, S>
    : Fault<`${Place}: '${R}' is not a public method of this class`>;

/** Methods whose context (for `run` its first parameter too) has parameters the schema does not output. */
type WantedContexts<C extends new (...args: Any[]) => object, S> = [S] extends [never]
  ? C
  : S extends StandardSchemaV1
    ? Misfits<InstanceType<C>, StandardSchemaV1.InferOutput<S>> extends infer M
      ? [M] extends [never]
        ? C
        : Fault<`params: '${M & string}' takes other parameters than the schema outputs`>
      : C
    : C;

type Misfits<T, Output> = {
  [K in keyof T]: T[K] extends Fn ? (Fits<ParamsNamedBy<T[K], K>, Output> extends true ? never : K) : never;
}[keyof T];

/** Methods that name no parameters, or any, fit. */
type Fits<P, Output> = [P] extends [never]
  ? true
  : IsAny<P> extends true
    ? true
    : unknown extends P
      ? true
      : [Output] extends [P]
        ? true
        : false;

type ParamsNamedBy<M, K> = M extends (...args: infer A) => unknown
  ? Required<A> extends infer Given
    ? K extends 'run'
      ? Given extends readonly [infer First, ...Any[]]
        ? First
        : never
      : Given extends readonly [...Any[], infer Last]
        ? Last extends Pick<TaskContext<Any>, 'params' | 'run' | 'log'> | Pick<HookContext<Any>, 'params' | 'run' | 'log'>
          ? IsAny<Last> extends true
            ? never
            : Last['params']
          : never
        : never
    : never
  : never;

type Hook = (ctx: HookContext<Any>) => unknown;

/** Result of `@On(event)`. */
export interface OnDecorator {
  <This>(value: Hook, context: ClassMethodDecoratorContext<This, Any> & { readonly static: false; readonly private: false }): void;
  (target: object, key: string, descriptor: { value?: Hook }): void;
}
