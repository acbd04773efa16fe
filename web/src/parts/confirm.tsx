/** Confirms an irreversible action, saying exactly what and how many. */
import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import { ApiError } from '../api/http.ts';
import { GuardedModal } from './guarded-modal.tsx';
import style from './confirm.module.css';

interface ConfirmProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  /** The action, e.g. `Cancel 12 runs`; also the label of the button. */
  readonly title: string;
  /** Its consequences, and what it does not affect. */
  readonly children: React.ReactNode;
  /** Label of the button if not the title. */
  readonly action?: string;
  /** Whether it destroys something. */
  readonly destructive?: boolean;
  /** Whether it is currently impossible. */
  readonly disabled?: boolean;
  /** Closes when it resolves; the message of an error stays in the dialog. */
  readonly onConfirm: () => Promise<unknown>;
}

/** A question with a button that names the action. */
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
