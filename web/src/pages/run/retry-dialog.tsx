/** Retries a run: what did not complete, or also everything from a selected task on. */
import { Select } from '@mantine/core';
import { useState } from 'react';
import { send } from '../../api/http.ts';
import { readStoredGraph } from '../../graph/stored-graph.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { type RunDetail, runPath } from './run-data.ts';

interface RetryDialogProps {
  readonly detail: RunDetail;
  /** The task to begin from, if selected. */
  readonly from: string | null;
  readonly onClose: () => void;
  readonly onDone: () => Promise<void>;
}

/** The question, with the tasks to choose from. */
export function RetryDialog({ detail, from, onClose, onDone }: RetryDialogProps) {
  const { run, counts, flow } = detail;
  const names = [...new Set([...readStoredGraph(flow?.graph).tasks.map(({ name }) => name), ...counts.map(({ name }) => name)])];
  const [task, setTask] = useState(names.includes(from ?? '') ? from : null);
  return (
    <Confirm
      opened
      onClose={onClose}
      title={task === null ? `Retry ${run.name}` : `Retry ${run.name} from ${task}`}
      action="Retry"
      onConfirm={async () => {
        await send('POST', `${runPath(run.id)}/retry`, task === null ? {} : { from: task });
        await onDone();
      }}
    >
      <p>
        A new attempt of the same run. Tasks that completed keep their results
        {task === null ? ', only the others run.' : `, except ${task} and all that comes after it.`}
      </p>
      <Select
        label="From task"
        description="Runs again although it completed, with all that comes after it"
        placeholder="Only what did not complete"
        data={names}
        value={task}
        onChange={setTask}
        clearable
        searchable={names.length > 8}
      />
    </Confirm>
  );
}
