/** The search field of a list: input applies shortly after the last key, or at once with Enter. */
import { TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';
import { Icon } from './icon.tsx';

interface SearchFieldProps {
  readonly text: string;
  /** Searched field, as in `Search by name`. */
  readonly by: string;
  readonly className?: string | undefined;
  readonly onChange: (text: string) => void;
}

export function SearchField({ text, by, className, onChange }: SearchFieldProps) {
  const [typed, setTyped] = useState(text);
  const change = useDebouncedCallback((next: string) => {
    if (next.trim() !== text) onChange(next.trim());
  }, 400);
  return (
    <TextInput
      data-search
      type="search"
      aria-label={`Search by ${by}`}
      placeholder={`${by.slice(0, 1).toUpperCase()}${by.slice(1)}  ( / )`}
      className={className ?? ''}
      leftSection={<Icon name="search" size={14} />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        change(event.currentTarget.value);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') change.flush();
      }}
    />
  );
}
