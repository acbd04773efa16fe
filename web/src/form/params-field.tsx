/** One field of the form of parameters. */
import { Select, TagsInput, Textarea, TextInput } from '@mantine/core';
import { choiceText, type FieldValue } from './form-values.ts';
import type { Field } from './schema-fields.ts';
import style from './params-form.module.css';

interface ParamsFieldProps {
  readonly field: Field;
  readonly value: FieldValue;
  readonly error: string | null;
  readonly onChange: (value: FieldValue) => void;
}

/** The control for the kind of the field, with its hint, and its default if left empty. */
export function ParamsField({ field, value, error, onChange }: ParamsFieldProps) {
  const { name, kind, label, required } = field;
  const text = typeof value === 'string' ? value : '';
  const common = {
    label,
    withAsterisk: required,
    name,
    error,
    description: descriptionOf(field),
    placeholder: placeholderOf(field),
  };
  switch (kind) {
    case 'boolean':
      return (
        <Select
          {...common}
          data={[
            { value: 'true', label: 'Yes' },
            { value: 'false', label: 'No' },
          ]}
          value={text === '' ? null : text}
          clearable={!required}
          allowDeselect={!required}
          onChange={(chosen) => onChange(chosen ?? '')}
        />
      );
    case 'choice':
      return (
        <Select
          {...common}
          data={field.choices.map(choiceText)}
          value={text === '' ? null : text}
          clearable={!required}
          allowDeselect={!required}
          searchable={field.choices.length > 8}
          onChange={(chosen) => onChange(chosen ?? '')}
        />
      );
    case 'texts':
      return <TagsInput {...common} value={Array.isArray(value) ? [...value] : []} onChange={onChange} clearable />;
    case 'json':
      return (
        <Textarea
          {...common}
          autosize
          minRows={2}
          maxRows={14}
          value={text}
          spellCheck={false}
          classNames={{ input: style.code ?? '' }}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'date':
      return <TextInput {...common} type="date" value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
    case 'datetime':
      return (
        <TextInput
          {...common}
          type="datetime-local"
          step={1}
          value={localText(text)}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'number':
    case 'integer':
      return (
        <TextInput
          {...common}
          inputMode={kind === 'integer' ? 'numeric' : 'decimal'}
          value={text}
          onChange={(event) => onChange(event.currentTarget.value.trim())}
        />
      );
    case 'text':
      return <TextInput {...common} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
  }
}

function descriptionOf({ description, hint, kind, defaultText }: Field): string | undefined {
  const parts = [
    description,
    hint,
    kind === 'datetime' ? 'in the time of this browser' : kind === 'json' ? 'JSON' : null,
    defaultText === null ? null : `left empty: ${defaultText}, as it is after conversion`,
  ];
  const told = parts.filter((part) => part !== null);
  return told.length === 0 ? undefined : told.join(' · ');
}

function placeholderOf({ fallback, defaultText, required, nullable, kind }: Field): string {
  if (kind === 'texts') return 'Enter adds one';
  if (fallback !== undefined) return `Default: ${typeof fallback === 'string' ? fallback : (JSON.stringify(fallback) ?? '')}`;
  if (defaultText !== null) return `Default: ${defaultText}`;
  return required && !nullable ? '' : 'Not given';
}

/** An instant in the format of the browser's input: local, to the second. */
function localText(text: string): string {
  if (text === '' || !/(Z|[+-]\d{2}:?\d{2})$/.test(text)) return text;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
