/** The dialog that sets a named thing: a secret, a rule, a limit. */
import { Button, Group, type ModalProps } from '@mantine/core';
import { type SubmitEvent, useEffect, useRef, useState } from 'react';
import { ApiError } from '../api/http.ts';
import { GuardedModal } from './guarded-modal.tsx';
import style from './save-dialog.module.css';

interface SaveDialogProps {
  readonly title: string;
  readonly size?: ModalProps['size'];
  readonly isReady?: boolean;
  /** Whether something was changed other than by typing or selecting. */
  readonly isChanged?: boolean;
  /** Label of the button; default `Save`. */
  readonly action?: string;
  readonly children: React.ReactNode;
  /** Error of the form as a whole, if the caller shows the rest next to its fields. */
  readonly failure?: string | null;
  /** Closes when it resolves, except with false: then the caller shows what is wrong. The message of an error stays in the dialog. */
  readonly onSave: () => Promise<unknown>;
  readonly onClose: () => void;
}

/** A form that closes once saved; otherwise the first invalid field gets the focus. */
export function SaveDialog({
  title,
  size = 'md',
  isReady = true,
  isChanged = false,
  action = 'Save',
  children,
  failure = null,
  onSave,
  onClose,
}: SaveDialogProps) {
  const [busy, setBusy] = useState(false);
  const [thrown, setThrown] = useState<string | null>(null);
  const [refusals, setRefusals] = useState(0);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (refusals > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [refusals]);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setThrown(null);
    try {
      if ((await onSave()) !== false) return onClose();
      setRefusals((count) => count + 1);
    } catch (error) {
      setThrown(error instanceof ApiError ? error.message : String(error));
    }
    setBusy(false);
  };
  const shown = thrown ?? failure;
  return (
    <GuardedModal opened onClose={onClose} title={title} size={size} isChanged={isChanged}>
      <form ref={form} className={style.form} autoComplete="off" noValidate onSubmit={(event) => void submit(event)}>
        {children}
        {shown === null ? null : (
          <p role="alert" className={style.failure}>
            {shown}
          </p>
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            Keep as it is
          </Button>
          <Button type="submit" loading={busy} disabled={!isReady}>
            {action}
          </Button>
        </Group>
      </form>
    </GuardedModal>
  );
}
