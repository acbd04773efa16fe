/** Actions on a deployment. */
import { ActionIcon, Menu } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import superjson from 'superjson';
import type { DeploymentView } from '../../../../src/client/deployments-client.ts';
import { deploymentPath } from '../../api/deployment-queries.ts';
import { flowQuery } from '../../api/flow-queries.ts';
import { send } from '../../api/http.ts';
import { usePermission } from '../../api/session.ts';
import { RunFormDialog } from '../../form/run-form-dialog.tsx';
import { Action } from '../../parts/action.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { plural } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { BackfillDialog } from './backfill-dialog.tsx';

/** Run now, pause or resume, backfill, and delete in a menu. */
export function DeploymentActions({ deployment }: { readonly deployment: DeploymentView }) {
  const { name, pausedAt, schedules } = deployment;
  const client = useQueryClient();
  const navigate = useNavigate();
  const may = usePermission('operator');
  const mayDelete = usePermission('admin');
  const [dialog, setDialog] = useState<'run' | 'pause' | 'backfill' | 'delete' | null>(null);
  const close = (): void => setDialog(null);
  const change = async (act: 'pause' | 'resume'): Promise<void> => {
    await send('POST', `${deploymentPath(name)}/${act}`, {});
    await client.invalidateQueries({ queryKey: ['deployments'] });
  };
  return (
    <>
      <Action variant="filled" disabledReason={may.why} onClick={() => setDialog('run')}>
        Run now
      </Action>
      <Action disabledReason={may.why} onClick={() => setDialog('pause')}>
        {pausedAt === null ? 'Pause' : 'Resume'}
      </Action>
      <Action
        disabledReason={may.why ?? (schedules.length === 0 ? 'It has no schedule, so there is nothing to backfill.' : null)}
        onClick={() => setDialog('backfill')}
      >
        Backfill
      </Action>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" aria-label="More actions">
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item disabled={mayDelete.why !== null} title={mayDelete.why ?? undefined} onClick={() => setDialog('delete')}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>

      {dialog === 'run' ? <RunDeploymentDialog deployment={deployment} given={fieldsOf(deployment.params)} onClose={close} /> : null}
      {dialog === 'backfill' ? <BackfillDialog deployment={deployment} onClose={close} /> : null}
      <Confirm
        opened={dialog === 'pause'}
        onClose={close}
        title={pausedAt === null ? `Pause ${name}` : `Resume ${name}`}
        onConfirm={() => change(pausedAt === null ? 'pause' : 'resume')}
      >
        <p>
          {pausedAt === null
            ? 'Its ticks make no runs until it is resumed. Runs that have begun continue, and it can still be run by hand.'
            : 'Its schedules tick again from now on. Ticks missed while it was paused are not caught up; use a backfill.'}
        </p>
      </Confirm>
      <Confirm
        opened={dialog === 'delete'}
        onClose={close}
        title={`Delete ${name}`}
        destructive
        onConfirm={async () => {
          await send('DELETE', deploymentPath(name));
          await client.invalidateQueries({ queryKey: ['deployments', 'list'] });
          await navigate({ to: '/deployments' });
        }}
      >
        <p>{`The deployment goes with ${plural(schedules.length, 'schedule')} and its versions. Its runs stay, and so does the flow.`}</p>
      </Confirm>
    </>
  );
}

function fieldsOf(params: string): Readonly<Record<string, unknown>> {
  try {
    const plain: unknown = JSON.parse(JSON.stringify(superjson.parse(params)));
    return typeof plain === 'object' && plain !== null && !Array.isArray(plain) ? (plain as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

interface RunDeploymentDialogProps {
  readonly deployment: DeploymentView;
  readonly given: Readonly<Record<string, unknown>>;
  readonly onClose: () => void;
}

/** Nothing until the schema of the flow is loaded; without one the parameters are written as JSON. */
export function RunDeploymentDialog({ deployment: { name, flow }, given, onClose }: RunDeploymentDialogProps) {
  const { data, error } = useQuery(flowQuery(flow, 30));
  if (data === undefined && error === null) return null;
  return (
    <RunFormDialog
      title={`Run ${name} now`}
      schema={data?.flow.paramsSchema ?? null}
      given={given}
      onClose={onClose}
      start={(params, options) => send<{ readonly id: string }>('POST', `${deploymentPath(name)}/run`, { params, ...options })}
    />
  );
}
