/** The list shared by secrets, variables and connections: rows by name, adding, changing, deleting. */
import { useQuery, type UseQueryOptions } from '@tanstack/react-query';
import { useState } from 'react';
import { usePermission } from '../../api/session.ts';
import { Action } from '../../parts/action.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import table from '../../parts/table.module.css';
import { DeleteValue, type ValueKind } from './delete-value.tsx';
import style from './secrets.module.css';

interface Named {
  readonly name: string;
  readonly description?: string | null;
}

interface ValueListProps<Row extends Named> {
  readonly kind: ValueKind;
  readonly query: UseQueryOptions<{ readonly items: readonly Row[] }, Error, readonly Row[], string[]>;
  /** Labels of the buttons. */
  readonly add: string;
  readonly change: string;
  readonly intro: string;
  /** Further actions next to the add button. */
  readonly more?: React.ReactNode;
  readonly empty: { readonly title: string; readonly command: string };
  /** Headings between the name and the buttons, and their cells; for all but admins a row of secrets is only its name. */
  readonly columns: readonly string[];
  readonly cells: (row: Row) => React.ReactNode;
  /** The form; null for a new one. */
  readonly form: (row: Row | null, close: () => void) => React.ReactNode;
}

/** The list; only admins change it. */
export function ValueList<Row extends Named>({ kind, query, add, change, intro, more, empty, columns, cells, form }: ValueListProps<Row>) {
  const { data, error, refetch } = useQuery(query);
  const { why } = usePermission('admin');
  const [editing, setEditing] = useState<{ readonly row: Row | null } | null>(null);
  const [deleting, setDeleting] = useState<string | null>(null);
  if (data === undefined)
    return error === null ? <LoadingRows rows={4} /> : <Failed what={`The list of ${kind}`} error={error} retry={() => void refetch()} />;
  return (
    <div className={style.tab}>
      <div className={style.intro}>
        <p>{intro}</p>
        {data.length === 0 ? null : more}
        <Action variant="filled" disabledReason={why} onClick={() => setEditing({ row: null })}>
          {add}
        </Action>
      </div>
      {data.length === 0 ? (
        <Empty title={empty.title} command={empty.command} />
      ) : (
        <table className={table.table}>
          <thead>
            <tr>
              <th>Name</th>
              {columns.map((column) => (
                <th key={column}>{column}</th>
              ))}
              <th aria-label="Actions" />
            </tr>
          </thead>
          <tbody>
            {data.map((row) => (
              <tr key={row.name}>
                <td className={table.strong}>
                  <span className={style.name}>{row.name}</span>
                  {typeof row.description === 'string' ? <span className={style.about}>{row.description}</span> : null}
                </td>
                {cells(row)}
                <td className={table.deeds}>
                  <Action size="compact-xs" disabledReason={why} onClick={() => setEditing({ row })}>
                    {change}
                  </Action>
                  <Action size="compact-xs" disabledReason={why} onClick={() => setDeleting(row.name)}>
                    Delete
                  </Action>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {editing === null ? null : form(editing.row, () => setEditing(null))}
      {deleting === null ? null : <DeleteValue kind={kind} name={deleting} onClose={() => setDeleting(null)} />}
    </div>
  );
}
