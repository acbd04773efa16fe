/** The data of a pipeline: fields that grow from step to step, immutable. */
import { BatutaError } from '../../base/errors.ts';
import { freezeDeep } from '../../model/freeze.ts';
import type { Data } from './plan.ts';

/** No fields. */
export const noFields: Data = Object.freeze({});

/** Whether a value is an object of fields: not a list or class instance. */
export function isFields(value: unknown): value is Data {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * What a step returned, as recorded: without fields it only passed on.
 *
 * @throws BatutaError STEP_RESULT_INVALID
 */
export function givenFields(step: string, value: unknown, data: Data): Data {
  if (value === undefined || value === null) return noFields;
  if (!isFields(value)) {
    const what = Array.isArray(value) ? 'a list' : typeof value === 'object' ? withArticle(classOf(value)) : `a ${typeof value}`;
    throw new BatutaError(
      'STEP_RESULT_INVALID',
      `Step '${step}' returned ${what}. Return an object, whose fields the next steps find in their data, or nothing.`,
      { details: { step } },
    );
  }
  const names = Object.keys(value);
  if (!names.some((name) => isHandedOn(name, value, data))) return value;
  return Object.fromEntries(names.filter((name) => !isHandedOn(name, value, data)).map((name) => [name, value[name]]));
}

/** Generators have a tag alone. */
function classOf(value: object): string {
  return value.constructor?.name || Object.prototype.toString.call(value).slice(8, -1);
}

function withArticle(name: string): string {
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** A step that returns `{ ...data, more }` has added `more`. */
function isHandedOn(name: string, value: Data, data: Data): boolean {
  return Object.hasOwn(data, name) && Object.is(data[name], value[name]);
}

/** Names present in both. */
export function clashesOf(given: Data, data: Data): string[] {
  return Object.keys(given).filter((name) => Object.hasOwn(data, name));
}

/** The data overridden by fields. Freezes what it can, as all later steps share it. */
export function merged(data: Data, given: Data): Data {
  if (given === noFields) return data;
  if (!Object.isFrozen(given) && !freezeDeep(given)) for (const value of Object.values(given)) freezeDeep(value);
  return Object.freeze({ ...data, ...given });
}
