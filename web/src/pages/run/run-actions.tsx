/** Actions on a run. Those not allowed, or not applicable now, are disabled with a reason. */
import { ActionIcon, Menu } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { canReopen, isTerminal } from '../../../../src/model/state.ts';
import { send } from '../../api/http.ts';
import { usePermission } from '../../api/session.ts';
import { Action } from '../../parts/action.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { Icon } from '../../parts/icon.tsx';
import { RetryDialog } from './retry-dialog.tsx';
import { RunAgainDialog } from './run-again-dialog.tsx';
import { type RunDetail, runPath } from './run-data.ts';
import { awaitedSignals, SignalDialog } from './signal-dialog.tsx';
import { useRunSearch } from './use-run-search.ts';

type Dialog = 'cancel' | 'unpin' | 'retry' | 'signal' | 'again' | 'delete';

/** The most likely action is a button: answer, cancel, retry, or run again. The rest is in a menu. */
export function RunActions({ detail }: { readonly detail: RunDetail }) {
  const { run, pin } = detail;
  const client = useQueryClient();
  const navigate = useNavigate();
  const { search } = useRunSearch();
  const may = usePermission('operator');
  const mayDelete = usePermission('admin');
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const close = (): void => setDialog(null);
  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: ['run', run.id] });

  const ended = isTerminal(run.state.type);
  const signals = awaitedSignals(detail);
  const why = {
    cancel: may.why ?? (ended ? 'It has ended.' : run.state.type === 'CANCELLING' ? 'It is being cancelled.' : null),
    retry: may.why ?? (canReopen(run.state.type) ? null : ended ? 'It completed; run it again instead.' : 'It has not ended.'),
    signal: may.why ?? (ended ? 'It has ended; it waits for no signal.' : null),
    again: may.why,
    unpin: may.why ?? (pin === null ? 'It is not pinned to a version of its flow.' : null),
    delete: mayDelete.why ?? (ended ? null : 'It has not ended; cancel it first.'),
  };

  return (
    <>
      {signals.length > 0 ? (
        <Action variant="filled" disabledReason={why.signal} onClick={() => setDialog('signal')}>
          Answer {signals[0]}
        </Action>
      ) : null}
      {canReopen(run.state.type) ? (
        <Action variant="filled" disabledReason={why.retry} onClick={() => setDialog('retry')}>
          Retry
        </Action>
      ) : ended ? (
        <Action variant="filled" disabledReason={why.again} onClick={() => setDialog('again')}>
          Run again
        </Action>
      ) : (
        <Action disabledReason={why.cancel} onClick={() => setDialog('cancel')}>
          Cancel
        </Action>
      )}
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" aria-label="More actions">
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <MenuAction label="Run again with edited parameters" why={why.again} onClick={() => setDialog('again')} />
          <MenuAction label="Retry from a task" why={why.retry} onClick={() => setDialog('retry')} />
          <MenuAction label="Send a signal" why={why.signal} onClick={() => setDialog('signal')} />
          <MenuAction label="Unpin from its version" why={why.unpin} onClick={() => setDialog('unpin')} />
          <Menu.Divider />
          <MenuAction label="Delete" why={why.delete} onClick={() => setDialog('delete')} />
        </Menu.Dropdown>
      </Menu>

      <Confirm
        opened={dialog === 'cancel'}
        onClose={close}
        title={`Cancel ${run.name}`}
        destructive
        onConfirm={async () => {
          await send('POST', `${runPath(run.id)}/cancel`, {});
          await refresh();
        }}
      >
        <p>Running tasks get 30 seconds to stop. What they have recorded is kept; the run can be retried from there.</p>
      </Confirm>
      <Confirm
        opened={dialog === 'unpin'}
        onClose={close}
        title={`Unpin ${run.name}`}
        onConfirm={async () => {
          await send('POST', `${runPath(run.id)}/unpin`, {});
          await refresh();
        }}
      >
        <p>
          From now on a worker with any version of the flow may continue the run. What version {pin?.version} has recorded is matched by
          name and inputs. This cannot be undone.
        </p>
      </Confirm>
      {dialog === 'retry' ? <RetryDialog detail={detail} from={search.task ?? null} onClose={close} onDone={refresh} /> : null}
      {dialog === 'signal' ? <SignalDialog runId={run.id} awaited={signals} onClose={close} onDone={refresh} /> : null}
      {dialog === 'again' ? <RunAgainDialog detail={detail} onClose={close} /> : null}
      <Confirm
        opened={dialog === 'delete'}
        onClose={close}
        title={`Delete ${run.name}`}
        destructive
        onConfirm={async () => {
          await send('DELETE', runPath(run.id));
          await navigate({ to: '/runs' });
        }}
      >
        <p>The run is deleted with its tasks, logs, results and artifacts. This cannot be undone.</p>
      </Confirm>
    </>
  );
}

function MenuAction({ label, why, onClick }: { readonly label: string; readonly why: string | null; readonly onClick: () => void }) {
  return (
    <Menu.Item disabled={why !== null} title={why ?? undefined} onClick={onClick}>
      {label}
    </Menu.Item>
  );
}
