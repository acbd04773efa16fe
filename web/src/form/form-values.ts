/** Values of a form, and the parameters they represent. Pure. */
import type { Field } from './schema-fields.ts';

/** Value of a field while editing: text for most, JSON text for `json`, a list for `texts`. */
export type FieldValue = string | boolean | readonly string[];
export type FormValues = Readonly<Record<string, FieldValue>>;

/** Errors by name of the field; the empty name is the form as a whole. */
export type FieldErrors = Readonly<Record<string, string>>;

/** Initial values: those given, else the defaults of the schema, else empty. */
export function startValues(fields: readonly Field[], given: Readonly<Record<string, unknown>> = {}): FormValues {
  return Object.fromEntries(
    fields.map((field) => [field.name, textOf(field, Object.hasOwn(given, field.name) ? given[field.name] : field.fallback)]),
  );
}

/**
 * The parameters, or their errors. An empty field is left out, so that its default applies; for a required one it is an error.
 *
 * @param extra values besides the fields, passed on unchanged.
 */
export function readValues(
  fields: readonly Field[],
  values: FormValues,
  extra: Readonly<Record<string, unknown>> = {},
): { readonly params: Readonly<Record<string, unknown>> } | { readonly errors: FieldErrors } {
  const params: Record<string, unknown> = { ...extra };
  const errors: Record<string, string> = {};
  for (const field of fields) {
    const value = values[field.name] ?? '';
    if (value === '' || (Array.isArray(value) && value.length === 0 && field.fallback === undefined)) {
      if (field.nullable && field.required) params[field.name] = null;
      else if (field.required && field.kind === 'texts') params[field.name] = [];
      else if (field.required) errors[field.name] = 'This is needed.';
      continue;
    }
    const read = readField(field, value);
    if ('error' in read) errors[field.name] = read.error;
    else params[field.name] = read.value;
  }
  return Object.keys(errors).length > 0 ? { errors } : { params };
}

/** The server's errors by field: `details.issues` of PARAMS_INVALID. Null if no field is named. */
export function errorsOfServer(details: unknown, names: readonly string[]): FieldErrors | null {
  const issues = (details as { issues?: unknown } | null)?.issues;
  if (!Array.isArray(issues)) return null;
  const errors: Record<string, string> = {};
  for (const issue of issues as readonly unknown[]) {
    const { path, message } = (issue ?? {}) as { path?: unknown; message?: unknown };
    if (typeof path !== 'string' || typeof message !== 'string') continue;
    const [first = '', ...rest] = path.split('.');
    const name = names.includes(first) ? first : '';
    const text =
      name === '' ? (path === '' ? message : `${path}: ${message}`) : rest.length === 0 ? message : `${rest.join('.')}: ${message}`;
    errors[name] = errors[name] === undefined ? text : `${errors[name]}; ${text}`;
  }
  return Object.keys(errors).length === 0 ? null : errors;
}

/** JSON text as an object of parameters. */
export function readObject(text: string): { readonly params: Readonly<Record<string, unknown>> } | { readonly error: string } {
  const read = readJson(text.trim() === '' ? '{}' : text);
  if ('error' in read) return read;
  const { value } = read;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { error: 'Parameters are an object: { "name": value }.' };
  return { params: value as Readonly<Record<string, unknown>> };
}

/** Parsed JSON text, or where it breaks. */
export function readJson(text: string): { readonly value: unknown } | { readonly error: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { error: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function readField(field: Field, value: FieldValue): { readonly value: unknown } | { readonly error: string } {
  if (typeof value !== 'string') return { value };
  switch (field.kind) {
    case 'number':
    case 'integer': {
      const number = Number(value);
      if (!Number.isFinite(number)) return { error: 'This is no number.' };
      return field.kind === 'integer' && !Number.isInteger(number) ? { error: 'This has to be a whole number.' } : { value: number };
    }
    case 'boolean':
      return { value: value === 'true' };
    case 'choice':
      return { value: field.choices.find((choice) => choiceText(choice) === value) ?? value };
    case 'datetime': {
      const at = new Date(value);
      return Number.isNaN(at.getTime()) ? { error: 'This is not a date and time.' } : { value: at.toISOString() };
    }
    case 'json':
      return readJson(value);
    default:
      return { value };
  }
}

/** A choice as text. */
export function choiceText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function textOf(field: Field, value: unknown): FieldValue {
  if (value === undefined || value === null) return field.kind === 'boolean' ? '' : field.kind === 'texts' ? [] : '';
  switch (field.kind) {
    case 'boolean':
      return value === true ? 'true' : 'false';
    case 'texts':
      return Array.isArray(value) ? value.map(String) : [String(value)];
    case 'json':
      return JSON.stringify(value, null, 2) ?? '';
    case 'choice':
      return choiceText(value);
    default:
      return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  }
}
