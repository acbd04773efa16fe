/** Decisions, newest first. */
import { Link } from '@tanstack/react-router';
import type { InboxRow } from '../../api/inbox-queries.ts';
import { Action } from '../../parts/action.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';

interface InboxTableProps {
  readonly items: readonly InboxRow[];
  /** Whether flow and run are named. */
  readonly withRun: boolean;
  /** Why nothing can be decided, else null. */
  readonly disabledReason: string | null;
  readonly onDecide: (item: InboxRow) => void;
}

/** The table. */
export function InboxTable({ items, withRun, disabledReason, onDecide }: InboxTableProps) {
  const withOutcome = items.some(({ status, problem }) => status !== 'open' || problem !== null);
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Decision</th>
          {withRun ? <th>Run</th> : null}
          <th>Asked</th>
          <th>Until</th>
          {withOutcome ? <th>Decided</th> : null}
          <th aria-label="Actions" />
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.id}>
            <td className={table.strong}>{item.title}</td>
            {withRun ? (
              <td data-label="run">
                <Link to="/runs/$id" params={{ id: item.runId }}>
                  {item.flow} · {item.runName}
                </Link>
              </td>
            ) : null}
            <td data-label="asked">
              <Time at={item.createdAt} />
            </td>
            <td data-label="until">{item.dueAt === null ? '–' : <Time at={item.dueAt} />}</td>
            {withOutcome ? (
              <td className={table.wide} data-label="decided">
                <Outcome item={item} />
              </td>
            ) : null}
            <td className={table.deeds}>
              {item.status === 'open' ? (
                <Action size="compact-xs" disabledReason={disabledReason} onClick={() => onDecide(item)}>
                  Decide
                </Action>
              ) : null}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const ways = { client: 'by a client', api: 'by the API', dashboard: 'in the dashboard', link: 'by a link' } as const;

/** Who decided what, how and when; else its status. */
function Outcome({ item: { status, decidedBy, decidedVia, decidedAt, data, problem } }: { readonly item: InboxRow }) {
  if (status === 'open') return problem === null ? 'not yet' : `asked again: ${problem}`;
  if (status !== 'decided' || data === null) return status;
  return (
    <>
      {decidedBy}
      {decidedVia === null || decidedVia === 'link' ? '' : ` ${ways[decidedVia]}`}, <Time at={decidedAt} />:{' '}
      <code>{JSON.stringify(data.json)}</code>
    </>
  );
}
