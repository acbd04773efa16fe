/** Confirms a change of many runs, with exact numbers from the server: how many will change, and how many will not, and why. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { BulkReport } from '../../api/wire-types.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { plural } from '../../parts/format.ts';
import { Failed } from '../../parts/notices.tsx';
import { changeRuns, type Deed, type Which } from './bulk.ts';
import style from './bulk-dialog.module.css';

interface Question {
  readonly deed: Deed;
  readonly which: Which;
}

interface BulkDialogProps {
  /** The pending action; null: the dialog is closed. */
  readonly question: Question | null;
  readonly onClose: () => void;
  readonly onConfirm: (deed: Deed, which: Which) => Promise<void>;
}

const verbs: Readonly<Record<Deed, string>> = { cancel: 'Cancel', retry: 'Retry', delete: 'Delete' };
const consequences: Readonly<Record<Deed, string>> = {
  cancel: 'Runs that have not started end at once. Running ones get 30 seconds to stop. They can be retried later.',
  retry: 'Each gets a new attempt. What is recorded as completed is not executed again.',
  delete: 'Their task runs, logs, results and artifacts go with them. This cannot be undone.',
};

/** The question, closed while there is none. */
export function BulkDialog({ question, onClose, onConfirm }: BulkDialogProps) {
  // The last question stays while the dialog fades out.
  const [shown, setShown] = useState(question);
  if (question !== null && question !== shown) setShown(question);
  return shown === null ? null : <Dialog question={shown} opened={question !== null} onClose={onClose} onConfirm={onConfirm} />;
}

interface DialogProps extends Omit<BulkDialogProps, 'question'> {
  readonly question: Question;
  readonly opened: boolean;
}

function Dialog({ question: { deed, which }, opened, onClose, onConfirm }: DialogProps) {
  const { data, error, refetch } = useQuery({
    queryKey: ['bulk', deed, which],
    queryFn: () => changeRuns(deed, which, true),
    enabled: opened,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const verb = verbs[deed];
  const what = data === undefined ? `${verb} runs` : `${verb} ${plural(data.changed, 'run')}`;
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={what}
      destructive={deed === 'delete'}
      disabled={data === undefined || data.changed === 0}
      onConfirm={() => onConfirm(deed, which)}
    >
      {error === null ? null : <Failed what="How many runs it is about" error={error} retry={() => void refetch()} />}
      {data === undefined && error === null ? <p className={style.soft}>Counting …</p> : null}
      {data === undefined ? null : <Report report={data} verb={verb} />}
      <p className={style.soft}>{consequences[deed]}</p>
    </Confirm>
  );
}

function Report({ report, verb }: { readonly report: BulkReport; readonly verb: string }) {
  const left = report.matched - report.changed;
  const reasons = [...new Set(report.refused.map(({ message }) => message.replace(/^Run [0-9a-f-]{36}/, 'A run')))];
  return (
    <>
      <p>
        {report.changed === 0
          ? `None of the ${plural(report.matched, 'run')} is in a state that allows this.`
          : `${verb} ${plural(report.changed, 'run')}${left > 0 ? ` of the ${report.matched} chosen` : ''}.`}
      </p>
      {left > 0 ? (
        <p>
          {plural(left, 'run is', 'runs are')} left alone{reasons.length === 0 ? '.' : ':'}
        </p>
      ) : null}
      {reasons.length > 0 && left > 0 ? (
        <ul className={style.reasons}>
          {reasons.slice(0, 4).map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      ) : null}
    </>
  );
}
