/** Creates or changes an alert rule. Errors are shown next to their fields. */
import { Checkbox, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { AlertGrouping, AlertRule } from '../../../../src/model/alerts/rule.ts';
import { send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import type { FieldErrors } from '../../form/form-values.ts';
import { SaveDialog } from '../../parts/save-dialog.tsx';
import { ActionFields } from './action-fields.tsx';
import { ConditionFields, ScopeFields } from './condition-fields.tsx';
import { draftOf, emptyDraft, type RuleDraft } from './rule-draft.ts';
import style from './rule-form.module.css';
import { refusedFields, specOf } from './rule-spec.ts';

const groupings: Readonly<Record<AlertGrouping, string>> = {
  deployment: 'a deployment, or a flow without one',
  flow: 'a flow',
  rule: 'all that the rule finds',
};

interface RuleFormProps {
  /** Null for a new one. */
  readonly rule: AlertRule | null;
  readonly onClose: () => void;
}

export function RuleForm({ rule, onClose }: RuleFormProps) {
  const [start] = useState<RuleDraft>(() => (rule === null ? emptyDraft : draftOf(rule)));
  const [draft, setDraft] = useState(start);
  const [errors, setErrors] = useState<FieldErrors>({});
  const set = (changes: Partial<RuleDraft>): void => setDraft((known) => ({ ...known, ...changes }));
  const save = async (): Promise<boolean> => {
    const read = specOf(draft);
    if ('errors' in read) {
      setErrors(read.errors);
      return false;
    }
    try {
      await send('PUT', `/alert-rules/${encodeURIComponent(draft.name.trim())}`, read.spec);
    } catch (error) {
      setErrors(refusedFields(error, draft));
      return false;
    }
    await queryClient.invalidateQueries({ queryKey: ['alerts'] });
    return true;
  };
  const parts = { draft, errors, set };
  return (
    <SaveDialog
      title={rule === null ? 'Add a rule' : `Change ${rule.name}`}
      size="lg"
      isChanged={draft !== start}
      failure={errors[''] ?? null}
      onSave={save}
      onClose={onClose}
    >
      {rule === null ? (
        <TextInput
          label="Name"
          description="A letter, then letters, digits, _, . or -"
          value={draft.name}
          error={errors['name']}
          required
          data-autofocus
          onChange={(event) => set({ name: event.currentTarget.value })}
        />
      ) : null}
      <ConditionFields {...parts} />
      <ScopeFields {...parts} />
      <ActionFields {...parts} />
      <div className={style.pair}>
        <Select
          label="One alert is about"
          data={Object.entries(groupings).map(([value, label]) => ({ value, label }))}
          value={draft.by}
          error={errors['by']}
          allowDeselect={false}
          onChange={(by) => set({ by: (by ?? 'deployment') as AlertGrouping })}
        />
        <TextInput
          label="Send again after"
          description="While it fires, such as 1h; 0s: for each; empty: never"
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          value={draft.repeat}
          error={errors['repeat']}
          onChange={(event) => set({ repeat: event.currentTarget.value })}
        />
      </div>
      <Checkbox
        label="Also send when it is over"
        checked={draft.resolved}
        onChange={(event) => set({ resolved: event.currentTarget.checked })}
      />
      <TextInput
        label="What to do about it"
        description="Sent with each alert"
        value={draft.description}
        maxLength={1000}
        error={errors['description']}
        onChange={(event) => set({ description: event.currentTarget.value })}
      />
    </SaveDialog>
  );
}
