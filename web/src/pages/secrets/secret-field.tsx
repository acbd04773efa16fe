/** Input for a secret: its value, or a reference. A stored value is never shown. */
import { PasswordInput, SegmentedControl, TextInput } from '@mantine/core';
import type { SecretWish } from '../../../../src/client/secrets-client.ts';
import style from './secrets.module.css';

/** Input of the field. */
export interface TypedSecret {
  readonly as: 'value' | 'reference';
  readonly text: string;
}

/** Nothing typed yet; a reference is shown, as it only says where the value is. */
export function typedSecret(reference: string | null | undefined): TypedSecret {
  return typeof reference === 'string' ? { as: 'reference', text: reference } : { as: 'value', text: '' };
}

/** The value to send; null if nothing was typed. */
export function wishOf({ as, text }: TypedSecret): SecretWish | null {
  if (text === '') return null;
  return as === 'value' ? { value: text } : { reference: text.trim() };
}

interface SecretFieldProps {
  readonly label: string;
  /** Whether a stored value stays if nothing is typed. */
  readonly isSet?: boolean;
  readonly typed: TypedSecret;
  readonly onChange: (typed: TypedSecret) => void;
  readonly required?: boolean;
}

/** A password field, or a line for the reference. */
export function SecretField({ label, isSet = false, typed: { as, text }, onChange, required = false }: SecretFieldProps) {
  return (
    <div className={style.field}>
      <div className={style.fieldHead}>
        <span aria-hidden="true">{label}</span>
        <SegmentedControl
          aria-label={`How ${label} is kept`}
          size="xs"
          value={as}
          onChange={(next) => onChange({ as: next, text: '' })}
          data={[
            { value: 'value', label: 'Encrypted here' },
            { value: 'reference', label: 'Kept elsewhere' },
          ]}
        />
      </div>
      {as === 'value' ? (
        <PasswordInput
          aria-label={label}
          autoComplete="new-password"
          value={text}
          placeholder={isSet ? 'set; stays as it is while this is empty' : ''}
          onChange={(event) => onChange({ as, text: event.currentTarget.value })}
          required={required}
        />
      ) : (
        <TextInput
          aria-label={`${label}: reference`}
          value={text}
          placeholder="env:NAME, file:/run/secrets/name, or a resolver of batuta.config.ts"
          onChange={(event) => onChange({ as, text: event.currentTarget.value })}
          required={required}
        />
      )}
    </div>
  );
}
