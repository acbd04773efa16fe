/** Makes or changes a rule of alerts. */
import { Checkbox, NumberInput, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import { SaveDialog } from '../secrets/save-dialog.tsx';
import { type Condition, conditions, emptyDraft, type RuleDraft, specOf } from './rule-draft.ts';

export function RuleForm({ onClose }: { readonly onClose: () => void }) {
  const [draft, setDraft] = useState<RuleDraft>(emptyDraft);
  const set = (changes: Partial<RuleDraft>): void => setDraft((known) => ({ ...known, ...changes }));
  const { value } = conditions[draft.condition];
  const save = async (): Promise<void> => {
    await send('PUT', `/alert-rules/${encodeURIComponent(draft.name.trim())}`, specOf(draft));
    await queryClient.invalidateQueries({ queryKey: ['alerts'] });
  };
  const text = (
    field: 'name' | 'deployments' | 'flows' | 'tags' | 'email' | 'slack' | 'webhook' | 'secret',
    label: string,
    description?: string,
  ) => (
    <TextInput
      label={label}
      description={description}
      value={draft[field]}
      required={field === 'name'}
      onChange={(event) => set({ [field]: event.currentTarget.value })}
    />
  );
  return (
    <SaveDialog
      title="Add a rule"
      isReady={draft.name.trim() !== '' && (value === null || draft.value.trim() !== '')}
      onSave={save}
      onClose={onClose}
    >
      {text('name', 'Name')}
      <Select
        label="When"
        data={Object.entries(conditions).map(([key, { label }]) => ({ value: key, label }))}
        value={draft.condition}
        allowDeselect={false}
        onChange={(condition) => set({ condition: (condition ?? 'failed') as Condition, value: '' })}
      />
      {value === null ? null : (
        <TextInput label={value} value={draft.value} required onChange={(event) => set({ value: event.currentTarget.value })} />
      )}
      {draft.condition === 'failureRate' ? (
        <>
          <TextInput
            label="Within"
            description="Such as 1h"
            value={draft.within}
            onChange={(event) => set({ within: event.currentTarget.value })}
          />
          <NumberInput
            label="From how many runs on"
            value={draft.atLeast}
            min={1}
            onChange={(atLeast) => set({ atLeast: Number(atLeast) || 1 })}
          />
        </>
      ) : null}
      {text('deployments', 'Deployments', 'Separated by commas; empty means all')}
      {text('flows', 'Flows', 'Separated by commas; empty means all')}
      {text('tags', 'Tags', 'Separated by commas; a run must have all')}
      {text('email', 'E-mail to', 'Addresses, separated by commas')}
      {text('slack', 'Slack', 'Name of the secret that holds the address of an incoming webhook')}
      {text('webhook', 'Webhook', 'Address that each alert is posted to')}
      {text('secret', 'Secret of the webhook', 'Name of the secret that signs it')}
      <Checkbox
        label="Send its end as well"
        checked={draft.resolved}
        onChange={(event) => set({ resolved: event.currentTarget.checked })}
      />
    </SaveDialog>
  );
}
