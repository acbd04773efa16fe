/** Open questions of a run to people, and their decisions: above its tabs. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type InboxRow, runInboxQuery } from '../../api/inbox-queries.ts';
import { usePermission, useSeesPayloads } from '../../api/session.ts';
import { DecideDialog } from '../inbox/decide-dialog.tsx';
import { InboxTable } from '../inbox/inbox-table.tsx';
import type { RunDetail } from './run-data.ts';

/** Nothing for a run without questions. */
export function RunDecisions({ detail: { run, counts } }: { readonly detail: RunDetail }) {
  const sees = useSeesPayloads();
  const hasAsked = counts.some(({ name }) => name.startsWith('inbox:'));
  const { data = [] } = useQuery({ ...runInboxQuery(run.id), enabled: sees && hasAsked });
  const may = usePermission('operator');
  const [deciding, setDeciding] = useState<InboxRow | null>(null);
  if (data.length === 0) return null;
  return (
    <section aria-label="Decisions">
      <InboxTable items={data} withRun={false} disabledReason={may.why} onDecide={setDeciding} />
      {deciding === null ? null : <DecideDialog item={deciding} onClose={() => setDeciding(null)} />}
    </section>
  );
}
