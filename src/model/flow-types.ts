/**
 * What the compiler knows of a flow from its class: parameters and result.
 *
 * The class declares them in static members, since types cannot see a decorator's arguments: `static readonly params` is the schema of its
 * parameters, `static readonly result` the name of the task whose value is the flow's.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { FlowDefinition } from './flow.ts';
import type { RecordOf } from './streams.ts';

declare global {
  /**
   * Flow classes by name; empty until `batuta flow types` has written the project's `batuta-flows.d.ts`, which adds to it. Flows started by
   * a name listed here are typed by their class.
   */
  interface BatutaFlows {}
  /** Deployments of `batuta.config.ts` by name, each with its flow's class; filled by the same file. */
  interface BatutaDeployments {}
}

/** A flow class; `F`: its instance. */
// oxlint-disable-next-line typescript/no-explicit-any -- a container may give its constructor what it takes.
export type FlowClass<F extends object = object> = new (...args: any[]) => F;

// oxlint-disable-next-line typescript/no-explicit-any -- any constructor is a class.
type AnyClass = abstract new (...args: any[]) => object;

/** How to name a flow when starting it: its class, name or definition. */
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- no name is known here; users' declarations add them.
export type FlowRef = FlowClass | keyof BatutaFlows | (string & {}) | FlowDefinition;

/** The class for a name that `batuta-flows.d.ts` knows; anything else stands for itself. */
type Named<C> = C extends keyof BatutaFlows ? BatutaFlows[C] : C;

/**
 * What a caller passes to start the flow `C` (`typeof FlightDelays`, or its name): the input of its schema, before defaults and
 * conversions. `unknown` if the class has no static `params`.
 */
export type ParamsIn<C> = Named<C> extends { readonly params: infer S extends StandardSchemaV1 } ? StandardSchemaV1.InferInput<S> : unknown;

/**
 * What the flow `C` (`typeof FlightDelays`, or its name) works with: the output of its schema, defaults filled in. `unknown` if the class
 * has no static `params`.
 */
export type ParamsOf<C> =
  Named<C> extends { readonly params: infer S extends StandardSchemaV1 } ? StandardSchemaV1.InferOutput<S> : unknown;

/**
 * The result of a flow: of a class with `run()` its return value, else the value of the task named by the static `result`, awaited, of a
 * generator the list of its items; `unknown` if there is neither. `C` is the class (`typeof FlightDelays`), its instance, or its name.
 */
export type ResultOf<C> =
  Named<C> extends infer F
    ? F extends abstract new (
        ...args: never[]
      ) => infer I
      ? I extends { run(...args: never[]): infer R }
        ? Awaited<R>
        : F extends { readonly result: infer K extends keyof I }
          ? ValueOf<I[K]>
          : unknown
      : F extends { run(...args: never[]): infer R }
        ? Awaited<R>
        : unknown
    : never;

/**
 * What the flow `C` (`typeof Chat`, or its name) emits by `ctx.emit`, per stream: the inputs of the schemas in its static `emits`. Any
 * value on any stream if the class has none.
 */
export type EmitsIn<C> =
  Named<C> extends { readonly emits: infer E extends Readonly<Record<string, StandardSchemaV1>> }
    ? { readonly [K in keyof E]: StandardSchemaV1.InferInput<E[K]> }
    : Readonly<Record<string, unknown>>;

/** The same as received by followers: the outputs of the schemas. */
export type EmitsOf<C> =
  Named<C> extends { readonly emits: infer E extends Readonly<Record<string, StandardSchemaV1>> }
    ? { readonly [K in keyof E]: StandardSchemaV1.InferOutput<E[K]> }
    : Readonly<Record<string, unknown>>;

type ValueOf<M> = M extends (...args: never[]) => infer R
  ? R extends AsyncGenerator<infer Item, unknown, never> | Generator<infer Item, unknown, never>
    ? RecordOf<Item>[]
    : Awaited<R>
  : unknown;

/** The parameters in a context that names `P`: a flow's class stands for the output of its schema, anything else for itself. */
export type ContextParams<P> = P extends AnyClass ? ParamsOf<P> : P;

/** The arguments that follow a flow when it is started: its parameters, optional if none is required, then `More`. */
export type StartArguments<C, More extends readonly unknown[] = []> =
  unknown extends ParamsIn<C>
    ? [params?: unknown, ...more: More]
    : {} extends ParamsIn<C>
      ? [params?: ParamsIn<C>, ...more: More]
      : [params: ParamsIn<C>, ...more: More];

/** The same as a field, for lists of runs. */
export type StartFields<C> =
  unknown extends ParamsIn<C>
    ? { readonly params?: unknown }
    : {} extends ParamsIn<C>
      ? { readonly params?: ParamsIn<C> }
      : { readonly params: ParamsIn<C> };

/** Parameters that override others: any may be omitted. */
export type SomeParams<C> = unknown extends ParamsIn<C> ? Readonly<Record<string, unknown>> : Partial<ParamsIn<C>>;
