/** Actions on the selected runs; replaces the head of the list while any are selected. */
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import type { Query } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import { usePermission } from '../../api/session.ts';
import type { BulkReport } from '../../api/wire-types.ts';
import { Action } from '../../parts/action.tsx';
import { plural } from '../../parts/format.ts';
import { changeRuns, type Deed, type Which } from './bulk.ts';
import { BulkDialog } from './bulk-dialog.tsx';
import type { Selection } from './selection.ts';
import style from './bulk-bar.module.css';

interface BulkBarProps {
  readonly selection: Selection;
  /** Number of loaded runs, and whether more match. */
  readonly loaded: number;
  readonly hasMore: boolean;
  /** The current filters. */
  readonly filterNow: () => Query;
  readonly onDone: () => void;
}

const done: Readonly<Record<Deed, string>> = { cancel: 'cancelled', retry: 'handed to workers again', delete: 'deleted' };

/** Number of selected runs, and the actions. */
export function BulkBar({ selection, loaded, hasMore, filterNow, onDone }: BulkBarProps) {
  const [question, setQuestion] = useState<{ readonly deed: Deed; readonly which: Which } | null>(null);
  const mayRun = usePermission('operator');
  const mayDelete = usePermission('admin');

  const ask = (deed: Deed): void =>
    setQuestion({ deed, which: selection.isAllMatching ? { filter: filterNow() } : { ids: [...selection.ids] } });
  const act = async (deed: Deed, which: Which): Promise<void> => {
    const report: BulkReport = await changeRuns(deed, which, false);
    notifications.show({ message: `${plural(report.changed, 'run')} ${done[deed]}.` });
    selection.clear();
    if (deed === 'delete') onDone();
    await Promise.all([
      queryClient.invalidateQueries({ queryKey: ['histogram'] }),
      queryClient.invalidateQueries({ queryKey: ['overview'] }),
    ]);
  };

  return (
    <div className={style.bar} role="row">
      <span role="cell" className={style.choose}>
        <input
          type="checkbox"
          aria-label="Choose all loaded runs"
          checked={selection.isAllMatching || selection.ids.size >= loaded}
          onChange={selection.toggleAll}
        />
      </span>
      <span role="cell" className={style.what}>
        <strong aria-live="polite">
          {selection.isAllMatching ? 'All that fit the filters' : `${plural(selection.ids.size, 'run')} chosen`}
        </strong>
        {hasMore && !selection.isAllMatching && selection.ids.size >= loaded ? (
          <Button variant="subtle" size="compact-xs" onClick={selection.chooseAllMatching}>
            Choose all that fit the filters
          </Button>
        ) : null}
      </span>
      <span role="cell" className={style.deeds}>
        <Action size="compact-sm" disabledReason={mayRun.why} onClick={() => ask('cancel')}>
          Cancel
        </Action>
        <Action size="compact-sm" disabledReason={mayRun.why} onClick={() => ask('retry')}>
          Retry
        </Action>
        <Action size="compact-sm" disabledReason={mayDelete.why} onClick={() => ask('delete')}>
          Delete
        </Action>
        <Button variant="subtle" size="compact-sm" onClick={selection.clear}>
          Choose none
        </Button>
      </span>
      <BulkDialog question={question} onClose={() => setQuestion(null)} onConfirm={act} />
    </div>
  );
}
