/** The fields of a form, from a JSON Schema of parameters. Pure. Unsupported schemas fall back to JSON text. */

export type FieldKind = 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'date' | 'datetime' | 'texts' | 'json';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  readonly label: string;
  readonly description: string | null;
  readonly required: boolean;
  /** Whether null is allowed. */
  readonly nullable: boolean;
  /** Undefined if there is none. */
  readonly fallback: unknown;
  /** Text for a default that is set after a conversion, so cannot be shown in the field; null if there is none. */
  readonly defaultText: string | null;
  /** Values to choose from, for `choice`. */
  readonly choices: readonly unknown[];
  readonly minimum: number | null;
  readonly maximum: number | null;
  /** The schema's constraints in a few words, e.g. `from 1 to 10`; null for none. */
  readonly hint: string | null;
}

type Schema = Readonly<Record<string, unknown>>;

/** The fields in the order of the schema; null if it is not an object schema, so that the whole is written as JSON. */
export function fieldsOf(schema: unknown): readonly Field[] | null {
  if (!isSchema(schema)) return null;
  const root = resolve(schema, schema);
  if (!isSchema(root['properties'])) return null;
  const required = Array.isArray(root['required']) ? root['required'] : [];
  return Object.entries(root['properties']).map(([name, property]) =>
    fieldOf(name, isSchema(property) ? property : {}, required.includes(name), schema),
  );
}

function fieldOf(name: string, given: Schema, required: boolean, root: Schema): Field {
  const { schema, nullable } = withoutNull(resolve(given, root), root);
  const choices = choicesOf(schema, root);
  const kind = choices === null ? kindOf(schema, root) : 'choice';
  const title = given['title'] ?? schema['title'];
  const description = given['description'] ?? schema['description'];
  const fallback = 'default' in given ? given['default'] : schema['default'];
  const numeric = kind === 'number' || kind === 'integer';
  return {
    name,
    kind,
    label: typeof title === 'string' && title !== '' ? title : name,
    description: typeof description === 'string' && description !== '' ? description : null,
    required: required && fallback === undefined,
    nullable,
    fallback,
    defaultText: textOrNull(given['x-default'] ?? schema['x-default']),
    choices: choices ?? [],
    minimum: numeric ? numberOf(schema['minimum']) : null,
    maximum: numeric ? realMaximum(numberOf(schema['maximum'])) : null,
    hint: hintOf(schema, kind),
  };
}

function kindOf(schema: Schema, root: Schema): FieldKind {
  if (schema['x-type'] === 'bigint') return 'text';
  switch (schema['type']) {
    case 'string':
      return schema['format'] === 'date' ? 'date' : schema['format'] === 'date-time' ? 'datetime' : 'text';
    case 'integer':
      return 'integer';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array': {
      const items = isSchema(schema['items']) ? resolve(schema['items'], root) : {};
      return items['type'] === 'string' && !('enum' in items) ? 'texts' : 'json';
    }
    default:
      return 'json';
  }
}

/** Values of an enum, a constant, or a union of constants; null if the schema allows others as well. */
function choicesOf(schema: Schema, root: Schema): readonly unknown[] | null {
  if (Array.isArray(schema['enum'])) return schema['enum'].filter((value) => value !== null);
  if ('const' in schema) return [schema['const']];
  const union = unionOf(schema);
  if (union === null) return null;
  const parts = union.map((part) => choicesOf(resolve(part, root), root));
  return parts.every((part) => part !== null) ? parts.flat() : null;
}

/** A union with null means that the value may be left empty. */
function withoutNull(schema: Schema, root: Schema): { readonly schema: Schema; readonly nullable: boolean } {
  if (Array.isArray(schema['type'])) {
    const types = schema['type'].filter((type) => type !== 'null');
    return { schema: { ...schema, type: types.length === 1 ? types[0] : undefined }, nullable: types.length < schema['type'].length };
  }
  const union = unionOf(schema);
  if (union === null) return { schema, nullable: false };
  const others = union.filter((part) => resolve(part, root)['type'] !== 'null');
  if (others.length === union.length) return { schema, nullable: false };
  const [only] = others;
  return {
    schema:
      others.length === 1 && only
        ? { ...schema, anyOf: undefined, oneOf: undefined, ...resolve(only, root) }
        : { ...schema, anyOf: others },
    nullable: true,
  };
}

function unionOf(schema: Schema): readonly Schema[] | null {
  const union = schema['anyOf'] ?? schema['oneOf'];
  return Array.isArray(union) && union.length > 0 && union.every(isSchema) ? union : null;
}

/** Follows `$ref` inside the document, without cycles. */
function resolve(schema: Schema, root: Schema, depth = 0): Schema {
  const { $ref, ...rest } = schema;
  if (typeof $ref !== 'string' || depth > 20) return schema;
  if (!$ref.startsWith('#/')) return rest;
  let at: unknown = root;
  for (const step of $ref.slice(2).split('/')) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    at = isSchema(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return isSchema(at) ? { ...resolve(at, root, depth + 1), ...rest } : rest;
}

function hintOf(schema: Schema, kind: FieldKind): string | null {
  const number = (key: string): number | null => numberOf(schema[key]);
  const type = schema['x-type'];
  if (type === 'bigint') return 'whole number of any size';
  if (type === 'map') return 'an object, or a list of [key, value]';
  if (type === 'set') return 'a list';
  if (kind === 'number' || kind === 'integer') {
    const least = number('minimum') ?? number('exclusiveMinimum');
    const most = realMaximum(number('maximum') ?? number('exclusiveMaximum'));
    const [over, under] = ['exclusiveMinimum' in schema ? 'over' : 'from', 'exclusiveMaximum' in schema ? 'under' : 'to'];
    const range = [least === null || least <= Number.MIN_SAFE_INTEGER ? '' : `${over} ${least}`, most === null ? '' : `${under} ${most}`]
      .filter((part) => part !== '')
      .join(' ');
    const whole = kind === 'integer' ? 'whole number' : '';
    return [whole, range].filter((part) => part !== '').join(', ') || null;
  }
  const [least, most] = kind === 'texts' ? [number('minItems'), number('maxItems')] : [number('minLength'), number('maxLength')];
  const unit = kind === 'texts' ? 'entries' : 'characters';
  if (least !== null && least > 0 && most !== null) return `${least} to ${most} ${unit}`;
  if (least !== null && least > 0 && !(kind === 'text' && least === 1)) return `at least ${least} ${unit}`;
  if (most !== null && kind !== 'json') return `at most ${most} ${unit}`;
  return typeof schema['format'] === 'string' && kind === 'text' ? schema['format'] : null;
}

/** A maximum that means `any whole number` is not a limit. */
function realMaximum(value: number | null): number | null {
  return value !== null && value >= Number.MAX_SAFE_INTEGER ? null : value;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
