/** A dialog that asks before discarding input. */
import { Button, Group, Modal, type ModalProps } from '@mantine/core';
import { useState } from 'react';
import style from './guarded-modal.module.css';

interface GuardedModalProps extends ModalProps {
  /** Whether something was changed in another way, such as an added row. */
  readonly isChanged?: boolean;
}

/**
 * Like Mantine's, except that Escape, a click outside and the close button ask first once something was typed or selected. The dialog's own
 * buttons close it through the caller's state, without asking.
 */
export function GuardedModal({ onClose, children, opened, isChanged = false, ...rest }: GuardedModalProps) {
  const [isFilled, setFilled] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const close = (): void => {
    setFilled(false);
    setAsking(false);
    onClose();
  };
  const leave = (): void => {
    if (isAsking) setAsking(false);
    else if (isFilled || isChanged) setAsking(true);
    else close();
  };
  // Dropdowns are elsewhere in the document, but their events bubble through here.
  const noteChoice = (event: React.MouseEvent): void => {
    if ((event.target as Element).closest('[role="option"]') !== null) setFilled(true);
  };
  return (
    <Modal {...rest} opened={opened} onClose={leave}>
      <div onInputCapture={() => setFilled(true)} onClickCapture={noteChoice}>
        {isAsking ? (
          <div role="alertdialog" aria-label="Close without saving" className={style.question}>
            <span>What you typed is lost when this closes.</span>
            <Group gap={8}>
              <Button size="compact-sm" variant="default" ref={(button) => button?.focus()} onClick={() => setAsking(false)}>
                Keep editing
              </Button>
              <Button size="compact-sm" color="red" onClick={close}>
                Discard
              </Button>
            </Group>
          </div>
        ) : null}
        {children}
      </div>
    </Modal>
  );
}
