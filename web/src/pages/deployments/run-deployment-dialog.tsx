/** Runs a deployment now, with the form of its flow filled with its own parameters. */
import { useQuery } from '@tanstack/react-query';
import type { DeploymentView } from '../../../../src/client/deployments-client.ts';
import { deploymentPath } from '../../api/deployment-queries.ts';
import { flowQuery } from '../../api/flow-queries.ts';
import { send } from '../../api/http.ts';
import { RunFormDialog } from '../../form/run-form-dialog.tsx';

interface RunDeploymentDialogProps {
  readonly deployment: DeploymentView;
  readonly given: Readonly<Record<string, unknown>>;
  readonly onClose: () => void;
}

/** Nothing until the schema of the flow is there; without one the parameters are written as JSON. */
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
