/** Sets a connection. */
import { Button, Select } from '@mantine/core';
import { useState } from 'react';
import { send } from '../../api/http.ts';
import type { ConnectionRow } from '../../api/wire-types.ts';
import { kinds, readFields, secretNames, type TypedFields, typedFields } from './connection-fields.ts';
import { ConnectionInputs } from './connection-inputs.tsx';
import { askAgain, valuePath } from './delete-value.tsx';
import { NameInputs } from './name-inputs.tsx';
import { SaveDialog } from '../../parts/save-dialog.tsx';
import { SecretField, type TypedSecret, typedSecret, wishOf } from './secret-field.tsx';
import { SecretName } from './secret-name.tsx';

interface ConnectionFormProps {
  /** Null for a new one. */
  readonly connection: ConnectionRow | null;
  readonly onClose: () => void;
}

/** Fields by kind; a secret field left empty is unchanged. */
export function ConnectionForm({ connection, onClose }: ConnectionFormProps) {
  const set = connection?.secrets ?? {};
  const [name, setName] = useState(connection?.name ?? '');
  const [about, setAbout] = useState(connection?.description ?? '');
  const [kind, setKind] = useState(connection?.kind ?? 'postgres');
  const [typed, setTyped] = useState<TypedFields>(() => typedFields(kind, connection?.fields ?? {}));
  const [added, setAdded] = useState<readonly string[]>([]);
  const [secrets, setSecrets] = useState<Readonly<Record<string, TypedSecret>>>({});
  const [isNaming, setNaming] = useState(false);
  const read = readFields(kind, typed);

  const choose = (next: string | null): void => {
    setKind(next ?? kind);
    setTyped(typedFields(next ?? kind, {}));
    setSecrets({});
    setAdded([]);
  };
  const save = async (): Promise<void> => {
    if (!('fields' in read)) return;
    const wishes = Object.entries(secrets).flatMap(([field, secret]) => {
      const wish = wishOf(secret);
      return wish === null ? [] : [[field, wish] as const];
    });
    await send('PUT', valuePath('connections', name.trim()), {
      kind,
      fields: read.fields,
      secrets: Object.fromEntries(wishes),
      description: about.trim() === '' ? null : about.trim(),
    });
    await askAgain('connections');
  };
  return (
    <SaveDialog
      title={connection === null ? 'Add a connection' : `Change ${connection.name}`}
      isReady={name.trim() !== '' && 'fields' in read}
      onSave={save}
      onClose={onClose}
    >
      <NameInputs name={connection === null ? name : null} onName={setName} about={about} onAbout={setAbout} />
      <Select label="Kind" data={[...kinds]} value={kind} allowDeselect={false} disabled={connection !== null} onChange={choose} />
      <ConnectionInputs kind={kind} typed={typed} onChange={setTyped} error={'error' in read ? read.error : null} />
      {secretNames(kind, [...Object.keys(set), ...added]).map((field) => (
        <SecretField
          key={`${kind} ${field}`}
          label={field}
          isSet={Object.hasOwn(set, field)}
          typed={secrets[field] ?? typedSecret(set[field])}
          onChange={(next) => setSecrets({ ...secrets, [field]: next })}
        />
      ))}
      {kind !== 'generic' ? null : isNaming ? (
        <SecretName
          onName={(field) => {
            setAdded([...added, field]);
            setNaming(false);
          }}
        />
      ) : (
        <Button variant="default" onClick={() => setNaming(true)}>
          Add a secret field
        </Button>
      )}
    </SaveDialog>
  );
}
