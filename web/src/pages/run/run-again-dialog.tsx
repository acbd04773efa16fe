/** The form that runs a flow again, filled with the parameters of a run. */
import { Button, Group, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { SuperJSONResult } from 'superjson';
import { get, send } from '../../api/http.ts';
import { RunFormDialog } from '../../form/run-form-dialog.tsx';
import { plainParams, sentParams } from '../../form/travel-params.ts';
import { Failed, LoadingRows } from '../../parts/notices.tsx';
import { isCut, readValue, type RunDetail, runPath } from './run-data.ts';

interface RunAgainDialogProps {
  readonly detail: RunDetail;
  readonly onClose: () => void;
}

/** Parameters too large to be included are fetched first: none is silently left out. */
export function RunAgainDialog({ detail, onClose }: RunAgainDialogProps) {
  const { run, flow, params } = detail;
  const title = `Run ${run.flow} again`;
  const large = isCut(params);
  const { data, error, refetch } = useQuery({
    queryKey: ['run', run.id, 'params'],
    queryFn: ({ signal }) => get<SuperJSONResult>(`${runPath(run.id)}/params`, undefined, signal),
    enabled: large,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (large && data === undefined) {
    return (
      <Modal opened onClose={onClose} title={title} size="lg">
        {error === null ? (
          <>
            <p>Loading the parameters of the run, {(params.cut.bytes / 1_048_576).toFixed(1)} MiB.</p>
            <LoadingRows rows={4} />
          </>
        ) : (
          <Failed what="The parameters of the run" error={error} retry={() => void refetch()} />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
        </Group>
      </Modal>
    );
  }
  const before = readValue(large ? (data ?? null) : params);
  return (
    <RunFormDialog
      title={title}
      schema={flow?.paramsSchema ?? null}
      given={plainParams(before)}
      onClose={onClose}
      start={(edited, options) =>
        send<{ readonly id: string }>('POST', '/runs', {
          flow: run.flow,
          // Parameters too large to be included are too large to send: the server takes them from the run.
          ...(large ? { paramsOf: run.id, params: sentParams(edited, before, 'edited') } : { params: sentParams(edited, before) }),
          tags: run.tags,
          queue: run.queue,
          ...options,
        })
      }
    />
  );
}
