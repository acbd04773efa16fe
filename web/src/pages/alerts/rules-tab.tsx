/** Alert rules: the list, the open one, and the form. */
import { Anchor } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type AlertRule, receiverOf } from '../../../../src/model/alerts/rule.ts';
import { conditionText } from '../../../../src/model/alerts/words.ts';
import { alertRulesQuery } from '../../api/alert-queries.ts';
import { send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import { usePermission } from '../../api/session.ts';
import { Action } from '../../parts/action.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Empty, Refused } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import { TableHead } from '../../parts/table-head.tsx';
import table from '../../parts/table.module.css';
import style from './alerts.module.css';
import { RuleForm } from './rule-form.tsx';
import { RulePanel } from './rule-panel.tsx';
import { RuleSilences } from './silences-panel.tsx';
import { useAct } from './use-act.ts';

interface RulesTabProps {
  /** The open rule. */
  readonly open: string | undefined;
  readonly onOpen: (name: string | undefined) => void;
}

export function RulesTab({ open, onOpen }: RulesTabProps) {
  const query = useQuery(alertRulesQuery);
  const admin = usePermission('admin');
  const { refused, act } = useAct('alerts');
  const [editing, setEditing] = useState<{ readonly rule: AlertRule | null } | null>(null);
  const [gone, setGone] = useState<AlertRule | null>(null);
  const opened = query.data?.find(({ name }) => name === open);
  const press = async (rule: AlertRule, deed: 'test' | 'pause' | 'resume'): Promise<void> => {
    // The result of a test is in the history.
    if ((await act('POST', `${pathOf(rule)}/${deed}`)) && deed === 'test') onOpen(rule.name);
  };
  const deeds = (rule: AlertRule) => (
    <RuleDeeds
      rule={rule}
      onPress={(deed) => void press(rule, deed)}
      onChange={() => setEditing({ rule })}
      onDelete={() => setGone(rule)}
    />
  );
  return (
    <div className={style.tab}>
      {opened === undefined ? null : <RulePanel rule={opened} deeds={deeds(opened)} onClose={() => onOpen(undefined)} />}
      <Panel
        title="Rules"
        aside={
          <Action size="compact-sm" variant="filled" disabledReason={admin.why} onClick={() => setEditing({ rule: null })}>
            Add a rule
          </Action>
        }
      >
        <Refused text={refused} />
        <Loaded query={query} what="The rules" rows={3}>
          {(rules) =>
            rules.length === 0 ? (
              <Empty title="No rules" command="alerts add failures --on failed --email you@example.com">
                A rule says what to look for and whom to notify. Rules may also be declared in batuta.config.ts, under alerts.
              </Empty>
            ) : (
              <table className={table.table}>
                <TableHead columns={['Rule', 'When', 'Actions', 'Declared']} hasDeeds />
                <tbody>
                  {rules.map((rule) => (
                    <RuleRow key={rule.name} rule={rule} onOpen={() => onOpen(rule.name)} deeds={deeds(rule)} />
                  ))}
                </tbody>
              </table>
            )
          }
        </Loaded>
      </Panel>
      <RuleSilences rules={query.data ?? []} />
      {editing === null ? null : <RuleForm rule={editing.rule} onClose={() => setEditing(null)} />}
      <Confirm
        opened={gone !== null}
        onClose={() => setGone(null)}
        title={`Delete rule ${gone?.name ?? ''}`}
        destructive
        onConfirm={async () => {
          if (gone === null) return;
          await send('DELETE', pathOf(gone));
          await queryClient.invalidateQueries({ queryKey: ['alerts'] });
          onOpen(undefined);
        }}
      >
        <p>It finds nothing any more. What it has found stays, and is over.</p>
      </Confirm>
    </div>
  );
}

function pathOf({ name }: AlertRule): string {
  return `/alert-rules/${encodeURIComponent(name)}`;
}

/** Where a rule is declared. */
export function originOf({ origin, declaredIn }: AlertRule): string {
  return origin === 'hand' ? 'by hand' : (declaredIn ?? 'configuration file');
}

interface RuleRowProps {
  readonly rule: AlertRule;
  readonly deeds: React.ReactNode;
  readonly onOpen: () => void;
}

function RuleRow({ rule, deeds, onOpen }: RuleRowProps) {
  const { name, pausedAt, description } = rule;
  const { condition, deployments, flows, tags, queues, actions } = rule.rule;
  const of = [...deployments, ...flows, ...tags, ...queues].join(', ');
  return (
    <tr>
      <td data-label="Rule" title={description ?? ''}>
        <Anchor component="button" type="button" size="sm" className={style.name ?? ''} onClick={onOpen}>
          {name}
        </Anchor>{' '}
        {pausedAt === null ? null : <span className={table.soft}>paused</span>}
      </td>
      <td data-label="When" className={table.whole}>
        {conditionText(condition)} {of === '' ? null : <span className={table.soft}>of {of}</span>}
      </td>
      <td data-label="Actions" className={`${style.receiver} ${table.whole}`}>
        {actions.length === 0 ? 'none' : actions.map(receiverOf).join(', ')}
      </td>
      <td data-label="Declared">{originOf(rule)}</td>
      <td className={table.deeds}>{deeds}</td>
    </tr>
  );
}

interface RuleDeedsProps {
  readonly rule: AlertRule;
  readonly onPress: (deed: 'test' | 'pause' | 'resume') => void;
  readonly onChange: () => void;
  readonly onDelete: () => void;
}

/** Actions on a rule. One declared in a file can only be changed there. */
function RuleDeeds({ rule, onPress, onChange, onDelete }: RuleDeedsProps) {
  const [admin, operator] = [usePermission('admin').why, usePermission('operator').why];
  const { name, origin, pausedAt } = rule;
  const declared = origin === 'config' ? `It is declared in ${originOf(rule)}: change it there, then deploy.` : null;
  const deed = pausedAt === null ? 'pause' : 'resume';
  return (
    <>
      <Action size="compact-xs" label={`Test ${name}`} disabledReason={operator} onClick={() => onPress('test')}>
        Test
      </Action>
      <Action
        size="compact-xs"
        label={`${deed === 'pause' ? 'Pause' : 'Resume'} ${name}`}
        disabledReason={operator}
        onClick={() => onPress(deed)}
      >
        {deed === 'pause' ? 'Pause' : 'Resume'}
      </Action>
      <Action size="compact-xs" label={`Change ${name}`} disabledReason={declared ?? admin} onClick={onChange}>
        Change
      </Action>
      <Action size="compact-xs" label={`Delete ${name}`} disabledReason={declared ?? admin} onClick={onDelete}>
        Delete
      </Action>
    </>
  );
}
