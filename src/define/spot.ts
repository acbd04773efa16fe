/** Where a method decorator was applied: one reading of both ways compilers call decorators. */
import { BatutaError, type ErrorCode } from '../base/errors.ts';
import { type Holder, type Method, standardContext, standardHolder } from './metadata.ts';

/** A decorated public instance method. */
export interface Spot {
  readonly name: string;
  readonly method: Method;
  readonly holder: Holder;
  /** What the decorator must return to replace the decorated method with `method`. */
  replaceWith(method: Method): unknown;
  /** An error that begins with the place, `Etl.join` (standard decorators do not know the class: `join`). */
  refuse(code: ErrorCode, message: string): BatutaError;
}

/**
 * Reads the arguments of a method decorator.
 *
 * @param decorator its name, for messages
 * @throws BatutaError DECORATOR_MISPLACED on a field, accessor, static or private method, a class, or a symbol name
 */
export function readSpot(decorator: string, first: unknown, second: unknown, third: unknown): Spot {
  const context = standardContext(second);
  return context ? standardSpot(decorator, first, context) : legacySpot(decorator, first, second, third);
}

/**
 * The options of a decorator, `{}` by default.
 *
 * @throws BatutaError DECORATOR_MISPLACED if the decorator has no parentheses, OPTION_INVALID if its argument is no object
 */
export function optionsObject(decorator: string, options: unknown, given: number): Readonly<Record<string, unknown>> {
  if (given > 1 || typeof options === 'function') {
    throw new BatutaError('DECORATOR_MISPLACED', `@${decorator} is written with parentheses: @${decorator}().`);
  }
  if (options === undefined) return {};
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return options as Readonly<Record<string, unknown>>;
  throw new BatutaError('OPTION_INVALID', `@${decorator}() takes an object with options, not ${JSON.stringify(options)}.`);
}

function standardSpot(decorator: string, value: unknown, context: DecoratorContext): Spot {
  const refuse = refuseAt(nameText(context.name ?? ''));
  const fault = firstOf([
    [context.kind !== 'method', `a ${context.kind}`],
    [context.kind === 'method' && context.private, 'a private method'],
    [context.kind === 'method' && context.static, 'a static method'],
    [typeof context.name === 'symbol', 'a method named by a symbol'],
  ]);
  if (fault !== undefined) throw misplaced(refuse, decorator, fault);
  return { name: String(context.name), method: value as Method, holder: standardHolder(context), refuse, replaceWith: (method) => method };
}

function legacySpot(decorator: string, target: unknown, key: unknown, descriptor: unknown): Spot {
  if (typeof target === 'function' && key === undefined) throw misplaced(refuseAt(target.name), decorator, 'a class');
  if ((typeof target !== 'object' && typeof target !== 'function') || target === null)
    throw misplaced(refuseAt(nameText(key)), decorator, 'a value');
  const className = typeof target === 'function' ? target.name : String((target.constructor as { name?: unknown } | undefined)?.name ?? '');
  const refuse = refuseAt(`${className || '(anonymous class)'}.${nameText(key)}`);
  const property: PropertyDescriptor | undefined = descriptor ?? Object.getOwnPropertyDescriptor(target, key as PropertyKey);
  const fault = firstOf([
    [typeof descriptor === 'number', 'a parameter'],
    [typeof target === 'function', 'a static member'],
    [typeof key === 'symbol', 'a method named by a symbol'],
    [property?.get !== undefined || property?.set !== undefined, 'an accessor'],
    [typeof property?.value !== 'function', 'a field'],
  ]);
  if (fault !== undefined) throw misplaced(refuse, decorator, fault);
  return {
    name: String(key),
    method: property?.value as Method,
    holder: { prototype: target },
    refuse,
    replaceWith: (method) => ({ ...property, value: method }),
  };
}

function firstOf(faults: readonly (readonly [boolean, string])[]): string | undefined {
  return faults.find(([holds]) => holds)?.[1];
}

function refuseAt(place: string): Spot['refuse'] {
  return (code, message) => new BatutaError(code, `${place}${message}`, { details: { place } });
}

function misplaced(refuse: Spot['refuse'], decorator: string, what: string): BatutaError {
  return refuse('DECORATOR_MISPLACED', ` is ${what}; @${decorator}() goes on a public method of the instance.`);
}

function nameText(name: unknown): string {
  return typeof name === 'symbol' ? `[${String(name)}]` : String(name ?? '');
}
