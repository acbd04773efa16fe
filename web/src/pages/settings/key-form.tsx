/** Creates a key and shows it only this once. */
import { Button, Group, Modal, Select, TextInput } from '@mantine/core';
import { type SubmitEvent, useState } from 'react';
import { GuardedModal } from '../../parts/guarded-modal.tsx';
import { ApiError, send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import { continueWith } from '../../api/session.ts';
import type { Key, Role } from '../../api/wire-types.ts';
import { timeNow } from '../../now.ts';
import { CopyText } from '../../parts/copy-text.tsx';
import style from './settings.module.css';

const roleChoices = [
  { value: 'observer', label: 'observer: looks, without payloads and logs' },
  { value: 'viewer', label: 'viewer: looks' },
  { value: 'operator', label: 'operator: runs and stops' },
  { value: 'admin', label: 'admin: everything' },
];

const day = 86_400_000;
const ends = [
  { value: 'never', label: 'never' },
  { value: String(day), label: 'in a day' },
  { value: String(30 * day), label: 'in 30 days' },
  { value: String(90 * day), label: 'in 90 days' },
  { value: String(365 * day), label: 'in a year' },
];

interface KeyFormProps {
  readonly onClose: () => void;
  /** Whether it is the first key ever: from then on everybody needs one. */
  readonly isFirst: boolean;
}

/** First the form, then the key. */
export function KeyForm({ onClose, isFirst }: KeyFormProps) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>(isFirst ? 'admin' : 'viewer');
  const [end, setEnd] = useState('never');
  const [made, setMade] = useState<string | null>(null);
  const [failure, setFailure] = useState<string | null>(null);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    try {
      const expiresAt = end === 'never' ? null : new Date(timeNow() + Number(end)).toISOString();
      const { key } = await send<{ readonly key: string; readonly entry: Key }>('POST', '/keys', { name: name.trim(), role, expiresAt });
      setMade(key);
      if (isFirst) await continueWith(key);
      await queryClient.invalidateQueries({ queryKey: ['keys'] });
    } catch (error) {
      setFailure(error instanceof ApiError ? error.message : String(error));
    }
  };

  if (made !== null) {
    return (
      <Modal opened onClose={onClose} title={`The key ${name.trim()}`} closeOnClickOutside={false}>
        <div className={style.form}>
          <p>Copy it now: it is not kept, and not shown again.</p>
          <CopyText text={made} />
          <Group justify="flex-end">
            <Button onClick={onClose}>I have copied it</Button>
          </Group>
        </div>
      </Modal>
    );
  }
  return (
    <GuardedModal opened onClose={onClose} title="Make a key">
      <form className={style.form} onSubmit={(event) => void submit(event)}>
        {isFirst ? (
          <p className={style.soft}>
            It is the first key of this server: from now on everybody needs one. It is an admin's, and you are logged in with it.
          </p>
        ) : null}
        <TextInput
          label="Name"
          description="Who or what uses it; it stands in the audit."
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={failure}
          required
          data-autofocus
        />
        <Select
          label="Role"
          data={roleChoices}
          value={role}
          allowDeselect={false}
          disabled={isFirst}
          onChange={(next) => setRole((next ?? 'viewer') as Role)}
        />
        <Select label="Ends" data={ends} value={end} allowDeselect={false} onChange={(next) => setEnd(next ?? 'never')} />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            Make none
          </Button>
          <Button type="submit" disabled={name.trim() === ''}>
            Make the key
          </Button>
        </Group>
      </form>
    </GuardedModal>
  );
}
