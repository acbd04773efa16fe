/** Name and description of a value. */
import { TextInput } from '@mantine/core';

interface NameInputsProps {
  /** Null if it already has its name. */
  readonly name: string | null;
  readonly onName: (name: string) => void;
  readonly about: string;
  readonly onAbout: (about: string) => void;
}

/** The two lines. */
export function NameInputs({ name, onName, about, onAbout }: NameInputsProps) {
  return (
    <>
      {name === null ? null : (
        <TextInput
          label="Name"
          description="A letter, then letters, digits, _, . or -; flows read it by this name."
          value={name}
          onChange={(event) => onName(event.currentTarget.value)}
          required
          data-autofocus
        />
      )}
      <TextInput label="Description" value={about} maxLength={1000} onChange={(event) => onAbout(event.currentTarget.value)} />
    </>
  );
}
