/** Rules of alerts, and what is silenced. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type AlertRule, receiverOf } from '../../../../src/model/alerts/rule.ts';
import { conditionText } from '../../../../src/model/alerts/words.ts';
import { alertRulesQuery, silencesQuery } from '../../api/alert-queries.ts';
import { send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import { usePermission } from '../../api/session.ts';
import { Action } from '../../parts/action.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import { RuleForm } from './rule-form.tsx';

export function RulesTab() {
  return (
    <>
      <Rules />
      <Silences />
    </>
  );
}

async function change(method: 'POST' | 'DELETE', path: string): Promise<void> {
  await send(method, path, method === 'POST' ? {} : undefined);
  await queryClient.invalidateQueries({ queryKey: ['alerts'] });
}

function pathOf(name: string): string {
  return `/alert-rules/${encodeURIComponent(name)}`;
}

function Rules() {
  const { data, error, refetch } = useQuery(alertRulesQuery);
  const [admin, operator] = [usePermission('admin'), usePermission('operator')];
  const [isAdding, setAdding] = useState(false);
  const [gone, setGone] = useState<AlertRule | null>(null);
  return (
    <Panel
      title="Rules"
      aside={
        <Action size="compact-xs" disabledReason={admin.why} onClick={() => setAdding(true)}>
          Add a rule
        </Action>
      }
    >
      {data === undefined ? (
        error === null ? (
          <LoadingRows rows={3} />
        ) : (
          <Failed what="The rules" error={error} retry={() => void refetch()} />
        )
      ) : data.length === 0 ? (
        <Empty title="No rules" command="alerts add failures --on failed --email you@example.com">
          Rules may stand in batuta.config.ts as well, under alerts.
        </Empty>
      ) : (
        <table className={table.table}>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">When</th>
              <th scope="col">Tells</th>
              <th scope="col">From</th>
              <th scope="col" aria-label="Actions" />
            </tr>
          </thead>
          <tbody>
            {data.map((rule) => (
              <RuleRow key={rule.name} rule={rule} mayDelete={admin.why} mayChange={operator.why} onDelete={() => setGone(rule)} />
            ))}
          </tbody>
        </table>
      )}
      {isAdding ? <RuleForm onClose={() => setAdding(false)} /> : null}
      <Confirm
        opened={gone !== null}
        onClose={() => setGone(null)}
        title={`Delete rule ${gone?.name ?? ''}`}
        destructive
        onConfirm={async () => (gone === null ? undefined : change('DELETE', pathOf(gone.name)))}
      >
        <p>It finds nothing any more. What it has found stays.</p>
      </Confirm>
    </Panel>
  );
}

interface RuleRowProps {
  readonly rule: AlertRule;
  readonly mayDelete: string | null;
  readonly mayChange: string | null;
  readonly onDelete: () => void;
}

function RuleRow({ rule: { name, rule, pausedAt, origin, description }, mayDelete, mayChange, onDelete }: RuleRowProps) {
  const { condition, deployments, flows, tags, queues, actions } = rule;
  const of = [...deployments, ...flows, ...tags, ...queues].join(', ');
  return (
    <tr>
      <td data-label="Rule" title={description ?? ''}>
        <strong>{name}</strong> {pausedAt === null ? null : <span className={table.soft}>paused</span>}
      </td>
      <td data-label="When">
        {conditionText(condition)} {of === '' ? null : <span className={table.soft}>of {of}</span>}
      </td>
      <td data-label="Tells">{actions.length === 0 ? 'nobody' : actions.map(receiverOf).join(', ')}</td>
      <td data-label="From">{origin === 'config' ? 'batuta.config.ts' : 'hand'}</td>
      <td className={table.deeds}>
        <Action size="compact-xs" disabledReason={mayChange} onClick={() => void change('POST', `${pathOf(name)}/test`)}>
          Test
        </Action>
        <Action
          size="compact-xs"
          disabledReason={mayChange}
          onClick={() => void change('POST', `${pathOf(name)}/${pausedAt === null ? 'pause' : 'resume'}`)}
        >
          {pausedAt === null ? 'Pause' : 'Resume'}
        </Action>
        <Action size="compact-xs" disabledReason={mayDelete} onClick={onDelete}>
          Delete {name}
        </Action>
      </td>
    </tr>
  );
}

function Silences() {
  const { data = [] } = useQuery(silencesQuery);
  const may = usePermission('operator');
  if (data.length === 0) return null;
  return (
    <Panel title="Silences" aside={data.length}>
      <table className={table.table}>
        <thead>
          <tr>
            <th scope="col">Silence</th>
            <th scope="col">Until</th>
            <th scope="col">By</th>
            <th scope="col">Reason</th>
            <th scope="col" aria-label="Actions" />
          </tr>
        </thead>
        <tbody>
          {data.map(({ id, rule, group, untilAt, who, reason }) => (
            <tr key={id}>
              <td data-label="Silence">{`${rule ?? 'All rules'}${group === null ? '' : ` · ${group}`}`}</td>
              <td data-label="Until">
                <Time at={untilAt} as="absolute" />
              </td>
              <td data-label="By">{who}</td>
              <td data-label="Reason">{reason}</td>
              <td className={table.deeds}>
                <Action size="compact-xs" disabledReason={may.why} onClick={() => void change('DELETE', `/alert-silences/${id}`)}>
                  End it
                </Action>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
