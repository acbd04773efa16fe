/**
 * What the compiler knows of a flow by its class: what it takes and what it gives.
 *
 * A class says so itself, by static members, since types cannot see what a decorator was given:
 * `static readonly params` is the schema of its parameters, `static readonly result` the name of the task whose value is the flow's.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { FlowDefinition } from './flow.ts';

declare global {
  /**
   * Flows by their names, each with its class; empty until `batuta flow types` has written the project's `batuta-flows.d.ts`, which adds to it.
   * What is named here is typed by its class wherever a flow is started by name.
   */
  interface BatutaFlows {}
  /** Deployments of `batuta.config.ts` by their names, each with the class of its flow; filled by the same file. */
  interface BatutaDeployments {}
}

/** A class that is a flow; `F` its instance. */
// oxlint-disable-next-line typescript/no-explicit-any -- a container may give its constructor what it takes.
export type FlowClass<F extends object = object> = new (...args: any[]) => F;

// oxlint-disable-next-line typescript/no-explicit-any -- any constructor is a class.
type AnyClass = abstract new (...args: any[]) => object;

/** How a flow may be named where it is started: its class, its name, or its definition. */
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- no name is known here; users' declarations add them.
export type FlowRef = FlowClass | keyof BatutaFlows | (string & {}) | FlowDefinition;

/** The class behind a name that `batuta-flows.d.ts` knows; anything else stands for itself. */
type Named<C> = C extends keyof BatutaFlows ? BatutaFlows[C] : C;

/**
 * What whoever starts the flow `C` (`typeof FlightDelays`, or its name) hands over: the input of its schema, before defaults and conversions.
 * `unknown` when the class has no static `params`.
 */
export type ParamsIn<C> = Named<C> extends { readonly params: infer S extends StandardSchemaV1 } ? StandardSchemaV1.InferInput<S> : unknown;

/**
 * What the flow `C` (`typeof FlightDelays`, or its name) works with: the output of its schema, defaults filled in.
 * `unknown` when the class has no static `params`.
 */
export type ParamsOf<C> =
  Named<C> extends { readonly params: infer S extends StandardSchemaV1 } ? StandardSchemaV1.InferOutput<S> : unknown;

/**
 * What a flow gives: of a class with `run()` what that returns, else the value of the task that the static `result` names, both awaited;
 * `unknown` when neither says. `C` is the class (`typeof FlightDelays`), its instance, or its name.
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
 * What the flow `C` (`typeof Chat`, or its name) gives out by `ctx.emit`, by stream: the inputs of the schemas in its static `emits`. Any value
 * by any stream when the class has none.
 */
export type EmitsIn<C> =
  Named<C> extends { readonly emits: infer E extends Readonly<Record<string, StandardSchemaV1>> }
    ? { readonly [K in keyof E]: StandardSchemaV1.InferInput<E[K]> }
    : Readonly<Record<string, unknown>>;

/** The same as whoever follows a run gets it: the outputs of the schemas. */
export type EmitsOf<C> =
  Named<C> extends { readonly emits: infer E extends Readonly<Record<string, StandardSchemaV1>> }
    ? { readonly [K in keyof E]: StandardSchemaV1.InferOutput<E[K]> }
    : Readonly<Record<string, unknown>>;

type ValueOf<M> = M extends (...args: never[]) => infer R ? Awaited<R> : unknown;

/** The parameters in a context that names `P`: a flow's class stands for the output of its schema, anything else for itself. */
export type ContextParams<P> = P extends AnyClass ? ParamsOf<P> : P;

/** The arguments that follow a flow where it is started: its parameters, which may be left out when none is required, then `More`. */
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

/** Parameters that are laid over others, so that any may be left out. */
export type SomeParams<C> = unknown extends ParamsIn<C> ? Readonly<Record<string, unknown>> : Partial<ParamsIn<C>>;
