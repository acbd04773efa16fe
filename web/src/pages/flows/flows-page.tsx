/** All flows with their figures. */
import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { type FlowRow, flowsQuery } from '../../api/flow-queries.ts';
import { send } from '../../api/http.ts';
import { usePermission } from '../../api/session.ts';
import { RunFormDialog } from '../../form/run-form-dialog.tsx';
import { Action } from '../../parts/action.tsx';
import { countText, durationText, percentText } from '../../parts/format.ts';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { Page } from '../../parts/page.tsx';
import table from '../../parts/table.module.css';
import { one } from '../../search.ts';

/** Figures cover runs that ended within so many days. */
const days = 30;

/** The page at `/flows`. */
export function FlowsPage() {
  const raw = useSearch({ from: '/shell/flows' });
  const navigate = useNavigate({ from: '/flows' });
  const search = one(raw, 'search') ?? '';
  const { data, error, refetch } = useQuery(flowsQuery(days));
  const shown = data?.filter(({ name, description }) => `${name} ${description ?? ''}`.toLowerCase().includes(search.toLowerCase()));
  return (
    <Page
      title="Flows"
      actions={
        <TextInput
          data-search
          aria-label="Part of the name"
          placeholder="Part of the name"
          value={search}
          onChange={(event) =>
            void navigate({ search: event.currentTarget.value === '' ? {} : { search: event.currentTarget.value }, replace: true })
          }
        />
      }
    >
      {shown === undefined ? (
        error === null ? (
          <LoadingRows />
        ) : (
          <Failed what="The list of flows" error={error} retry={() => void refetch()} />
        )
      ) : data?.length === 0 ? (
        <Empty title="No flows yet" command="run flows/hello.ts">
          A flow is a class with tasks. It appears here once it has run, or when a worker that knows it is there.
        </Empty>
      ) : shown.length === 0 ? (
        <Empty title="No flow has that in its name" />
      ) : (
        <FlowTable flows={shown} />
      )}
    </Page>
  );
}

function FlowTable({ flows }: { readonly flows: readonly FlowRow[] }) {
  const may = usePermission('operator');
  const [running, setRunning] = useState<FlowRow | null>(null);
  return (
    <>
      <table className={`${table.table} ${table.figures}`}>
        <thead>
          <tr>
            <th>Flow</th>
            <th>What it does</th>
            <th className={table.number}>Runs, {days} d</th>
            <th className={table.number}>Failed</th>
            <th className={table.number}>Mean</th>
            <th className={table.number}>p50</th>
            <th className={table.number}>p95</th>
            <th aria-label="Actions" />
          </tr>
        </thead>
        <tbody>
          {flows.map((flow) => (
            <tr key={flow.name}>
              <td className={table.strong}>
                <Link to="/flows/$name" params={{ name: flow.name }}>
                  {flow.name}
                </Link>
              </td>
              <td className={`${table.wide} ${table.soft}`} title={flow.description ?? undefined}>
                {flow.description ?? ''}
              </td>
              <td className={table.number} data-label="runs">
                {flow.figures === null ? '–' : countText(flow.figures.runs)}
              </td>
              <td className={table.number} data-label="failed">
                {flow.figures === null || flow.figures.runs === 0 ? '–' : percentText(flow.figures.failures / flow.figures.runs)}
              </td>
              <td className={table.number} data-label="mean">
                {durationText(flow.figures?.meanMs)}
              </td>
              <td className={table.number} data-label="p50">
                {durationText(flow.figures?.p50Ms)}
              </td>
              <td className={table.number} data-label="p95">
                {durationText(flow.figures?.p95Ms)}
              </td>
              <td className={table.deeds}>
                <Action size="compact-xs" disabledReason={may.why} onClick={() => setRunning(flow)}>
                  Run
                </Action>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {running === null ? null : (
        <RunFormDialog
          title={`Run ${running.name}`}
          schema={running.paramsSchema}
          onClose={() => setRunning(null)}
          start={(params, options) => send<{ readonly id: string }>('POST', '/runs', { flow: running.name, params, ...options })}
        />
      )}
    </>
  );
}
