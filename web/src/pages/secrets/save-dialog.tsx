/** The dialog in which a secret, a variable or a connection is set. */
import { Button, Group } from '@mantine/core';
import { type SubmitEvent, useState } from 'react';
import { ApiError } from '../../api/http.ts';
import { GuardedModal } from '../../parts/guarded-modal.tsx';
import style from './secrets.module.css';

interface SaveDialogProps {
  readonly title: string;
  readonly isReady: boolean;
  readonly children: React.ReactNode;
  /** Closes when it resolves; the message of an error stays in the dialog. */
  readonly onSave: () => Promise<unknown>;
  readonly onClose: () => void;
}

/** A form that closes once it is saved. */
export function SaveDialog({ title, isReady, children, onSave, onClose }: SaveDialogProps) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await onSave();
      onClose();
    } catch (error) {
      setFailure(error instanceof ApiError ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <GuardedModal opened onClose={onClose} title={title}>
      <form className={style.form} autoComplete="off" onSubmit={(event) => void submit(event)}>
        {children}
        {failure === null ? null : (
          <p role="alert" className={style.failure}>
            {failure}
          </p>
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            Keep as it is
          </Button>
          <Button type="submit" loading={busy} disabled={!isReady}>
            Save
          </Button>
        </Group>
      </form>
    </GuardedModal>
  );
}
