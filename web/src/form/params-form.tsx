/** Parameters as a form built from their JSON Schema, or as JSON text; each can be converted into the other. */
import { Button, Group, SegmentedControl, Textarea } from '@mantine/core';
import { useId, useState } from 'react';
import { ApiError } from '../api/http.ts';
import { type FieldErrors, type FormValues, errorsOfServer, readObject, readValues, startValues } from './form-values.ts';
import { ParamsField } from './params-field.tsx';
import { type Field, fieldsOf } from './schema-fields.ts';
import style from './params-form.module.css';

type Params = Readonly<Record<string, unknown>>;

interface ParamsFormProps {
  /** JSON Schema of the parameters; null or another shape: only JSON text. */
  readonly schema: unknown;
  /** Initial values; default those of the schema. */
  readonly given?: Params;
  /** Further fields that the caller reads itself. */
  readonly children?: React.ReactNode;
  readonly submitLabel: string;
  /** Why nothing can be sent, else null. */
  readonly disabledReason?: string | null;
  readonly onSubmit: (params: Params) => Promise<unknown>;
  readonly onCancel: () => void;
}

/** The form. Errors of the server are shown at the field they name. */
export function ParamsForm({ schema, given = {}, children, submitLabel, disabledReason = null, onSubmit, onCancel }: ParamsFormProps) {
  const [fields] = useState(() => fieldsOf(schema));
  const [mode, setMode] = useState<'form' | 'json'>(fields === null ? 'json' : 'form');
  const [values, setValues] = useState(() => startValues(fields ?? [], given));
  const [text, setText] = useState(() => JSON.stringify(given, null, 2));
  const [errors, setErrors] = useState<FieldErrors>({});
  const [busy, setBusy] = useState(false);
  const alertId = useId();
  const extra = withoutFields(given, fields ?? []);

  const read = (): Params | null => {
    const outcome = mode === 'json' ? asErrors(readObject(text)) : readValues(fields ?? [], values, extra);
    if ('params' in outcome) return outcome.params;
    setErrors(outcome.errors);
    return null;
  };
  const submit = async (): Promise<void> => {
    const params = read();
    if (params === null) return;
    setBusy(true);
    setErrors({});
    try {
      await onSubmit(params);
    } catch (error) {
      setErrors(errorsOf(error, mode === 'form' ? (fields ?? []).map(({ name }) => name) : []));
    } finally {
      setBusy(false);
    }
  };
  const change = (next: 'form' | 'json'): void => {
    if (next === mode) return;
    if (next === 'json') setText(JSON.stringify(paramsOf(fields ?? [], values, extra), null, 2));
    else {
      const outcome = readObject(text);
      if ('error' in outcome) return setErrors({ '': outcome.error });
      setValues(startValues(fields ?? [], outcome.params));
    }
    setErrors({});
    setMode(next);
  };

  return (
    <form
      className={style.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (disabledReason === null) void submit();
      }}
    >
      {fields !== null && fields.length > 0 ? (
        <SegmentedControl
          className={style.mode}
          value={mode}
          onChange={(value) => change(value === 'json' ? 'json' : 'form')}
          data={[
            { value: 'form', label: 'Form' },
            { value: 'json', label: 'JSON' },
          ]}
          aria-label="How to write the parameters"
        />
      ) : null}
      {mode === 'form' ? (
        (fields ?? []).map((field) => (
          <ParamsField
            key={field.name}
            field={field}
            value={values[field.name] ?? ''}
            error={errors[field.name] ?? null}
            onChange={(value) => setValues((before) => ({ ...before, [field.name]: value }))}
          />
        ))
      ) : (
        <Textarea
          label="Parameters"
          description="A JSON object"
          autosize
          minRows={6}
          maxRows={20}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          classNames={{ input: style.code ?? '' }}
          spellCheck={false}
        />
      )}
      {mode === 'form' && fields?.length === 0 ? <p className={style.none}>This flow takes no parameters.</p> : null}
      {children}
      {errors[''] === undefined ? null : (
        <p id={alertId} role="alert" className={style.failure}>
          {errors['']}
        </p>
      )}
      <Group justify="flex-end" gap={8} className={style.buttons}>
        <Button variant="default" onClick={onCancel}>
          Close
        </Button>
        <Button type="submit" loading={busy} disabled={disabledReason !== null} title={disabledReason ?? undefined}>
          {submitLabel}
        </Button>
      </Group>
    </form>
  );
}

function asErrors(read: { readonly params: Params } | { readonly error: string }) {
  return 'error' in read ? { errors: { '': read.error } } : read;
}

function errorsOf(error: unknown, names: readonly string[]): FieldErrors {
  if (!(error instanceof ApiError)) return { '': String(error) };
  return errorsOfServer(error.details, names) ?? { '': `${error.message} (${error.code})` };
}

/** The readable part of the form while some fields are invalid. */
function paramsOf(fields: readonly Field[], values: FormValues, extra: Params): Params {
  const readable = fields.filter((field) => 'params' in readValues([{ ...field, required: false }], values));
  const outcome = readValues(
    readable.map((field) => ({ ...field, required: false })),
    values,
    extra,
  );
  return 'params' in outcome ? outcome.params : extra;
}

function withoutFields(given: Params, fields: readonly Field[]): Params {
  const names = new Set(fields.map(({ name }) => name));
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.has(name)));
}
