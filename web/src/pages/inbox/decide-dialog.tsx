/** Decides: a form built from the schema of the answer, or two buttons for yes or no. */
import { Button, Group, Textarea } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError, send } from '../../api/http.ts';
import type { InboxRow } from '../../api/inbox-queries.ts';
import { queryClient } from '../../api/query-client.ts';
import { usePermission } from '../../api/session.ts';
import { ParamsForm } from '../../form/params-form.tsx';
import { GuardedModal } from '../../parts/guarded-modal.tsx';
import { Time } from '../../parts/time.tsx';
import style from './inbox.module.css';

interface DecideDialogProps {
  readonly item: InboxRow;
  readonly onClose: () => void;
}

/** The dialog; if the server refuses, it stays open with the error. */
export function DecideDialog({ item, onClose }: DecideDialogProps) {
  const may = usePermission('operator');
  const decide = async (data: unknown): Promise<void> => {
    await send('POST', `/inbox/${item.id}/decide`, { data });
    await queryClient.invalidateQueries({ queryKey: ['inbox'] });
    onClose();
  };
  return (
    <GuardedModal opened onClose={onClose} title={item.title} size="lg">
      {item.description === null ? null : <p className={style.description}>{item.description}</p>}
      <p className={style.facts}>
        Asked by{' '}
        <Link to="/runs/$id" params={{ id: item.runId }}>
          {item.flow} · {item.runName}
        </Link>{' '}
        <Time at={item.createdAt} />
        {item.dueAt === null ? null : (
          <>
            , to be decided <Time at={item.dueAt} />
          </>
        )}
      </p>
      {item.problem === null ? null : (
        <p role="alert" className={style.problem}>
          The last answer was refused: {item.problem}
        </p>
      )}
      {isApproval(item.schema) ? (
        <Approve disabledReason={may.why} onDecide={decide} />
      ) : (
        <ParamsForm schema={item.schema} submitLabel="Decide" disabledReason={may.why} onSubmit={decide} onCancel={onClose} />
      )}
    </GuardedModal>
  );
}

interface ApproveProps {
  /** Why nothing can be decided, else null. */
  readonly disabledReason: string | null;
  readonly onDecide: (data: unknown) => Promise<void>;
}

function Approve({ disabledReason, onDecide }: ApproveProps) {
  const [comment, setComment] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const decide = async (approved: boolean): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      await onDecide({ approved, ...(comment.trim() === '' ? {} : { comment: comment.trim() }) });
    } catch (error) {
      setFailure(error instanceof ApiError ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <div className={style.approve}>
      <Textarea
        label="Comment"
        autosize
        minRows={2}
        maxRows={8}
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      {failure === null ? null : (
        <p role="alert" className={style.problem}>
          {failure}
        </p>
      )}
      <Group justify="flex-end" gap={8}>
        <Button
          variant="default"
          disabled={busy || disabledReason !== null}
          title={disabledReason ?? undefined}
          onClick={() => void decide(false)}
        >
          Reject
        </Button>
        <Button disabled={busy || disabledReason !== null} title={disabledReason ?? undefined} onClick={() => void decide(true)}>
          Approve
        </Button>
      </Group>
    </div>
  );
}

/** Whether the answer has the default schema, used if a flow gives none. */
function isApproval(schema: unknown): boolean {
  const { properties } = (schema ?? {}) as { readonly properties?: Readonly<Record<string, { readonly type?: unknown }>> };
  const names = Object.keys(properties ?? {});
  return properties?.['approved']?.type === 'boolean' && names.every((name) => name === 'approved' || name === 'comment');
}
