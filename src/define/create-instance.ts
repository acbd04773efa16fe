/** Creates flow instances: by the constructor, or as `batuta.config.ts` says. */
import { BatutaError, isBatutaError } from '../base/errors.ts';
import type { Instantiate } from '../model/flow.ts';
import type { FlowClass } from '../model/flow-types.ts';
import { hasConfigFile, loadConfigFile } from './load-config-file.ts';

/**
 * A new instance of a class.
 *
 * @param instantiate null: calls its constructor, without arguments
 * @throws BatutaError INSTANTIATE_FAILED, and what the constructor throws
 */
export function createInstance(cls: FlowClass, instantiate: Instantiate | null): object | Promise<object> {
  if (instantiate !== null) return made(cls, instantiate);
  if (cls.length === 0) return new cls();
  throw failure(
    cls,
    `its constructor takes arguments that nothing provides: set instantiate in batuta.config.ts (in a test the option instantiate), or write defaults.`,
  );
}

function made(cls: FlowClass, instantiate: Instantiate): object | Promise<object> {
  try {
    const given = instantiate(cls);
    if (!(given instanceof Promise)) return checked(cls, given);
    return given.then(
      (instance) => checked(cls, instance),
      (cause: unknown) => Promise.reject(failureBy(cls, cause)),
    );
  } catch (cause) {
    throw failureBy(cls, cause);
  }
}

function checked(cls: FlowClass, instance: unknown): object {
  if (instance instanceof cls) return instance;
  throw failure(cls, `instantiate returned ${instance === null ? 'null' : typeof instance} instead of a ${cls.name}.`);
}

function failureBy(cls: FlowClass, cause: unknown): BatutaError {
  if (isBatutaError(cause, 'INSTANTIATE_FAILED')) return cause;
  return failure(cls, cause instanceof Error ? cause.message : String(cause), cause);
}

/**
 * How a project creates instances, from a folder's `batuta.config.ts`; null if it has none. It is read for the first instance.
 *
 * @returns argument of `FlowDefinition.create`
 */
export function projectInstantiate(folder: string): Instantiate | null {
  if (!hasConfigFile(folder)) return null;
  let found: Promise<Instantiate | null> | null = null;
  const load = async (): Promise<Instantiate | null> => {
    const { instantiate } = (await loadConfigFile(folder))?.config ?? {};
    return typeof instantiate === 'function' ? instantiate : null;
  };
  return (cls) => {
    found ??= load();
    return found.then((instantiate) => createInstance(cls, instantiate));
  };
}

function failure(cls: FlowClass, why: string, cause?: unknown): BatutaError {
  return new BatutaError('INSTANTIATE_FAILED', `No instance of ${cls.name} could be made: ${why}`, {
    details: { class: cls.name },
    ...(cause === undefined ? {} : { cause }),
  });
}
