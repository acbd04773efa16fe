/** Asks before something that cannot be taken back, saying exactly what and how many. */
import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { ApiError } from '../api/http.ts';
import { GuardedModal } from './guarded-modal.tsx';
import style from './confirm.module.css';

interface ConfirmProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  /** What is about to be done, e.g. `Cancel 12 runs`; it is the label of the button too. */
  readonly title: string;
  /** What follows from it, and what does not. */
  readonly children: React.ReactNode;
  /** What the button says, where it is not the title. */
  readonly action?: string;
  /** Whether it destroys something. */
  readonly destructive?: boolean;
  /** Why it cannot be done just now. */
  readonly disabled?: boolean;
  /** Closes when it resolves; the message of an error stays in the dialog. */
  readonly onConfirm: () => Promise<unknown>;
}

/** A question with a button that names the deed. */
export function Confirm({
  opened,
  onClose,
  title,
  children,
  action = title,
  destructive = false,
  disabled = false,
  onConfirm,
}: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  const close = (): void => {
    setFailure(null);
    onClose();
  };
  const confirm = async (): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      await onConfirm();
      close();
    } catch (error) {
      setFailure(error instanceof ApiError ? `${error.message} (${error.code})` : String(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <GuardedModal opened={opened} onClose={close} title={title} classNames={{ title: style.title ?? '' }}>
      <div className={style.body}>{children}</div>
      {failure === null ? null : (
        <p role="alert" className={style.failure}>
          {failure}
        </p>
      )}
      <Group justify="flex-end" gap={8} mt={16}>
        <Button variant="default" onClick={close} data-autofocus={destructive || undefined}>
          Keep as it is
        </Button>
        <Button color={destructive ? 'red' : 'blue'} loading={busy} disabled={disabled} onClick={() => void confirm()}>
          {action}
        </Button>
      </Group>
    </GuardedModal>
  );
}
