/** The parameters of a flow, read from its JSON Schema. */
import type { Paint } from './paint.ts';
import { tableLines } from './table.ts';
import { valueLine } from './value.ts';
import { oneLine } from './width.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Lines of a table, one a parameter; a sentence where there is none or no schema says. */
export function parameterLines(hasSchema: boolean, schema: Fields | null, paint: Paint): string[] {
  if (!hasSchema) return ['  no schema: anything is taken'];
  const properties = fieldsOf(schema?.['properties']);
  if (schema === null || properties === null) return ['  checked by a schema that cannot be printed'];
  const required: readonly unknown[] = Array.isArray(schema['required']) ? schema['required'] : [];
  const rows = Object.entries(properties).map(([name, property]) => {
    const fields = fieldsOf(property) ?? {};
    const standard = fields['default'] === undefined ? '' : `default ${valueLine(fields['default'], 40)}`;
    const said = typeof fields['description'] === 'string' ? oneLine(fields['description']) : '';
    return [`  ${name}`, typeText(fields), required.includes(name) && standard === '' ? 'required' : standard, said];
  });
  if (rows.length === 0) return ['  none'];
  return tableLines([{ head: '  name' }, { head: 'type', max: 50 }, { head: '' }, { head: '' }], rows, paint).map((line) => line.trimEnd());
}

function typeText(fields: Fields): string {
  if (Array.isArray(fields['enum'])) return fields['enum'].map((value) => JSON.stringify(value)).join(' | ');
  const either = fields['anyOf'] ?? fields['oneOf'];
  if (Array.isArray(either)) return either.map((one) => typeText(fieldsOf(one) ?? {})).join(' | ');
  if (fields['const'] !== undefined) return JSON.stringify(fields['const']);
  if (fields['type'] === 'array') return `${typeText(fieldsOf(fields['items']) ?? {})}[]`;
  const type = typeof fields['type'] === 'string' ? fields['type'] : 'any';
  return typeof fields['format'] === 'string' ? `${type} (${fields['format']})` : type;
}

function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}
