/** A dialog that starts a run: the form of its parameters, its name, and the start. Then opens the run. */
import { Switch, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { usePermission } from '../api/session.ts';
import { GuardedModal } from '../parts/guarded-modal.tsx';
import { ParamsForm } from './params-form.tsx';

/** Further options of the run. */
export interface StartOptions {
  readonly name?: string;
  /** ISO 8601 UTC. */
  readonly startAt?: string;
  readonly refreshCache?: true;
}

interface RunFormDialogProps {
  readonly title: string;
  readonly schema: unknown;
  readonly given?: Readonly<Record<string, unknown>>;
  readonly onClose: () => void;
  readonly start: (params: Readonly<Record<string, unknown>>, options: StartOptions) => Promise<{ readonly id: string }>;
}

/** The dialog; if the server refuses, it stays open with the error. */
export function RunFormDialog({ title, schema, given = {}, onClose, start }: RunFormDialogProps) {
  const navigate = useNavigate();
  const may = usePermission('operator');
  const [name, setName] = useState('');
  const [startAt, setStartAt] = useState('');
  const [refreshes, setRefreshes] = useState(false);
  const submit = async (params: Readonly<Record<string, unknown>>): Promise<void> => {
    const { id } = await start(params, {
      ...(name === '' ? {} : { name }),
      ...(startAt === '' ? {} : { startAt: new Date(startAt).toISOString() }),
      ...(refreshes ? { refreshCache: true } : {}),
    });
    onClose();
    await navigate({ to: '/runs/$id', params: { id } });
  };
  return (
    <GuardedModal opened onClose={onClose} title={title} size="lg">
      <ParamsForm
        schema={schema}
        given={given}
        submitLabel={startAt === '' ? 'Run now' : 'Schedule'}
        disabledReason={may.why}
        onSubmit={submit}
        onCancel={onClose}
      >
        <TextInput
          label="Name of the run"
          placeholder="Two random words"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="Not before"
          description="In the time of this browser; empty: at once"
          type="datetime-local"
          value={startAt}
          onChange={(event) => setStartAt(event.currentTarget.value)}
        />
        <Switch
          label="Refresh cache"
          description="Tasks with a cache make their values anew, and later runs find those"
          checked={refreshes}
          onChange={(event) => setRefreshes(event.currentTarget.checked)}
        />
      </ParamsForm>
    </GuardedModal>
  );
}
