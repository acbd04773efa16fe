/** Sets a variable. */
import { Textarea } from '@mantine/core';
import { useState } from 'react';
import { send } from '../../api/http.ts';
import type { VariableRow } from '../../api/wire-types.ts';
import { readJson } from '../../form/form-values.ts';
import { askAgain, valuePath } from './delete-value.tsx';
import { NameInputs } from './name-inputs.tsx';
import { SaveDialog } from '../../parts/save-dialog.tsx';

interface VariableFormProps {
  /** Null for a new one. */
  readonly variable: VariableRow | null;
  readonly onClose: () => void;
}

/** Its value as JSON. */
export function VariableForm({ variable, onClose }: VariableFormProps) {
  const [name, setName] = useState(variable?.name ?? '');
  const [about, setAbout] = useState(variable?.description ?? '');
  const [text, setText] = useState(variable === null ? '' : JSON.stringify(variable.value, null, 2));
  const read = readJson(text);
  const save = async (): Promise<void> => {
    if (!('value' in read)) return;
    await send('PUT', valuePath('variables', name.trim()), {
      value: read.value,
      description: about.trim() === '' ? null : about.trim(),
    });
    await askAgain('variables');
  };
  return (
    <SaveDialog
      title={variable === null ? 'Add a variable' : `Change ${variable.name}`}
      isReady={name.trim() !== '' && text.trim() !== '' && 'value' in read}
      onSave={save}
      onClose={onClose}
    >
      <NameInputs name={variable === null ? name : null} onName={setName} about={about} onAbout={setAbout} />
      <Textarea
        label="Value"
        description='JSON: 500, true, "text" in quotes, ["a list"], {"or": "an object"}'
        autosize
        minRows={2}
        maxRows={14}
        value={text}
        error={text.trim() !== '' && 'error' in read ? read.error : null}
        onChange={(event) => setText(event.currentTarget.value)}
        required
      />
    </SaveDialog>
  );
}
