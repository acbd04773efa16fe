/** Asks for the name of a further secret field. */
import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';

/** A line and a button. */
export function SecretName({ onName }: { readonly onName: (name: string) => void }) {
  const [name, setName] = useState('');
  return (
    <>
      <TextInput label="Name of the secret field" value={name} maxLength={100} onChange={(event) => setName(event.currentTarget.value)} />
      <Button variant="default" disabled={name.trim() === ''} onClick={() => onName(name.trim())}>
        Add it
      </Button>
    </>
  );
}
