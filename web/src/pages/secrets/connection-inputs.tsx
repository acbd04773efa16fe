/** The fields of a connection that are not secret. */
import { Checkbox, Textarea, TextInput } from '@mantine/core';
import { fieldsOfKind, type TypedFields } from './connection-fields.ts';

interface ConnectionInputsProps {
  readonly kind: string;
  readonly typed: TypedFields;
  readonly onChange: (typed: TypedFields) => void;
  /** Error of invalid JSON. */
  readonly error: string | null;
}

/** One control per field; a generic connection as JSON. */
export function ConnectionInputs({ kind, typed, onChange, error }: ConnectionInputsProps) {
  const known = fieldsOfKind(kind) ?? [{ name: 'fields', as: 'json' as const, hint: 'JSON object; secret fields stand below' }];
  return known.map(({ name, as, required = false, hint }) => {
    const common = { label: name, description: hint, withAsterisk: required };
    const text = String(typed[name] ?? '');
    switch (as) {
      case 'flag':
        return (
          <Checkbox
            key={name}
            label={name}
            description={hint}
            checked={typed[name] === true}
            onChange={(event) => onChange({ ...typed, [name]: event.currentTarget.checked })}
          />
        );
      case 'json':
        return (
          <Textarea
            key={name}
            {...common}
            autosize
            minRows={2}
            maxRows={10}
            value={text}
            error={text === '' ? null : error}
            onChange={(event) => onChange({ ...typed, [name]: event.currentTarget.value })}
          />
        );
      default:
        return (
          <TextInput
            key={name}
            {...common}
            inputMode={as === 'number' ? 'numeric' : 'text'}
            value={text}
            onChange={(event) => onChange({ ...typed, [name]: event.currentTarget.value })}
          />
        );
    }
  });
}
