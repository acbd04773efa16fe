/** Sets a secret. */
import { useState } from 'react';
import { send } from '../../api/http.ts';
import type { SecretRow } from '../../api/wire-types.ts';
import { askAgain, valuePath } from './delete-value.tsx';
import { NameInputs } from './name-inputs.tsx';
import { SaveDialog } from '../../parts/save-dialog.tsx';
import { SecretField, typedSecret, wishOf } from './secret-field.tsx';

interface SecretFormProps {
  /** Null for a new one. */
  readonly secret: SecretRow | null;
  readonly onClose: () => void;
}

/** A value is always required: the stored one is not available here. */
export function SecretForm({ secret, onClose }: SecretFormProps) {
  const [name, setName] = useState(secret?.name ?? '');
  const [about, setAbout] = useState(secret?.description ?? '');
  const [typed, setTyped] = useState(typedSecret(secret?.reference));
  const wish = wishOf(typed);
  const save = async (): Promise<void> => {
    await send('PUT', valuePath('secrets', name.trim()), { ...wish, description: about.trim() === '' ? null : about.trim() });
    await askAgain('secrets');
  };
  return (
    <SaveDialog
      title={secret === null ? 'Add a secret' : `Set ${secret.name}`}
      isReady={name.trim() !== '' && wish !== null}
      onSave={save}
      onClose={onClose}
    >
      <NameInputs name={secret === null ? name : null} onName={setName} about={about} onAbout={setAbout} />
      <SecretField label="Value" typed={typed} onChange={setTyped} required />
      <p>Once it is saved, nobody can read it back. Processes use the new value within five seconds.</p>
    </SaveDialog>
  );
}
