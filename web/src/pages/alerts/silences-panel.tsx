/** Silences, and a form that silences a rule, or all of them, for a while. */
import { Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AlertRule } from '../../../../src/model/alerts/rule.ts';
import { silencesQuery } from '../../api/alert-queries.ts';
import { ApiError, send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import { usePermission } from '../../api/session.ts';
import type { FieldErrors } from '../../form/form-values.ts';
import { Action } from '../../parts/action.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Refused } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import { SaveDialog } from '../../parts/save-dialog.tsx';
import { TableHead } from '../../parts/table-head.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import style from './alerts.module.css';
import { useAct } from './use-act.ts';

interface RuleSilencesProps {
  readonly rules: readonly AlertRule[];
}

export function RuleSilences({ rules }: RuleSilencesProps) {
  const query = useQuery(silencesQuery);
  const may = usePermission('operator');
  const { refused, act } = useAct('alerts');
  const [isAdding, setAdding] = useState(false);
  return (
    <Panel
      title="Silences"
      aside={
        <Action size="compact-sm" disabledReason={may.why} onClick={() => setAdding(true)}>
          Silence
        </Action>
      }
    >
      <Refused text={refused} />
      <Loaded query={query} what="The silences" rows={1}>
        {(silences) =>
          silences.length === 0 ? (
            <p className={style.about}>Nothing is silenced. During a silence, alerts are listed but not sent.</p>
          ) : (
            <table className={table.table}>
              <TableHead columns={['Silence', 'Until', 'By', 'Reason']} hasDeeds />
              <tbody>
                {silences.map(({ id, rule, group, untilAt, who, reason }) => (
                  <tr key={id}>
                    <td data-label="Silence">{`${rule ?? 'All rules'}${group === null ? '' : ` · ${group}`}`}</td>
                    <td data-label="Until">
                      <Time at={untilAt} as="absolute" />
                    </td>
                    <td data-label="By">{who}</td>
                    <td data-label="Reason">{reason ?? '–'}</td>
                    <td className={table.deeds}>
                      <Action size="compact-xs" disabledReason={may.why} onClick={() => void act('DELETE', `/alert-silences/${id}`)}>
                        End it
                      </Action>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
      {isAdding ? <SilenceForm rules={rules} onClose={() => setAdding(false)} /> : null}
    </Panel>
  );
}

const fields = ['rule', 'group', 'for', 'reason'] as const;

function SilenceForm({ rules, onClose }: RuleSilencesProps & { readonly onClose: () => void }) {
  const [typed, setTyped] = useState({ rule: '', group: '', for: '2h', reason: '' });
  const [errors, setErrors] = useState<FieldErrors>({});
  const save = async (): Promise<boolean> => {
    const given = Object.entries(typed).flatMap(([field, text]) => (text.trim() === '' ? [] : [[field, text.trim()]]));
    try {
      await send('POST', '/alert-silences', { for: typed.for.trim(), ...Object.fromEntries(given) });
    } catch (error) {
      const { field } = (error instanceof ApiError ? (error.details ?? {}) : {}) as { readonly field?: string };
      const message = error instanceof Error ? error.message : String(error);
      setErrors({ [fields.find((one) => one === field) ?? '']: message });
      return false;
    }
    await queryClient.invalidateQueries({ queryKey: ['alerts'] });
    return true;
  };
  const text = (field: 'group' | 'for' | 'reason', label: string, description: string, required = false) => (
    <TextInput
      label={label}
      description={description}
      value={typed[field]}
      error={errors[field]}
      required={required}
      onChange={(event) => {
        const { value } = event.currentTarget;
        setTyped((known) => ({ ...known, [field]: value }));
      }}
    />
  );
  return (
    <SaveDialog
      title="Silence"
      action="Silence"
      isReady={typed.for.trim() !== ''}
      failure={errors[''] ?? null}
      onSave={save}
      onClose={onClose}
    >
      <Select
        label="Rule"
        data={[{ value: '', label: 'All rules' }, ...rules.map(({ name }) => ({ value: name, label: name }))]}
        value={typed.rule}
        error={errors['rule']}
        allowDeselect={false}
        onChange={(rule) => setTyped((known) => ({ ...known, rule: rule ?? '' }))}
      />
      {text('group', 'About', 'A deployment, flow, queue or host; empty: all')}
      {text('for', 'For how long', 'Such as 2h or 1d', true)}
      {text('reason', 'Reason', 'For those who wonder why')}
    </SaveDialog>
  );
}
