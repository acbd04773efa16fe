/** Condition of a rule, and its runs or queues. */
import { Select, TagsInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { facetsQuery, queuesQuery } from '../../api/list-queries.ts';
import type { FieldErrors } from '../../form/form-values.ts';
import { type ConditionKey, conditions, type RuleDraft } from './rule-draft.ts';
import { roomsOf } from './rule-spec.ts';

interface ConditionFieldsProps {
  readonly draft: RuleDraft;
  readonly errors: FieldErrors;
  readonly set: (changes: Partial<RuleDraft>) => void;
}

type TextField = 'value' | 'within' | 'atLeast' | 'metric' | 'above' | 'below';

/** The condition with its parameters. */
export function ConditionFields({ draft, errors, set }: ConditionFieldsProps) {
  const { value } = conditions[draft.condition];
  const text = (field: TextField, label: string, description?: string, required = true) => (
    <TextInput
      label={label}
      description={description}
      value={draft[field]}
      error={errors[field]}
      required={required}
      onChange={(event) => set({ [field]: event.currentTarget.value })}
    />
  );
  return (
    <>
      <Select
        label="When"
        data={Object.entries(conditions).map(([key, { label }]) => ({ value: key, label }))}
        value={draft.condition}
        allowDeselect={false}
        maxDropdownHeight={420}
        onChange={(condition) => set({ condition: (condition ?? 'failed') as ConditionKey, value: '' })}
      />
      {value === null ? null : text('value', value.label, value.hint)}
      {draft.condition === 'failureRate' ? (
        <>
          {text('within', 'Of the runs that ended within', 'Such as 1h')}
          {text('atLeast', 'From how many of these on')}
        </>
      ) : null}
      {draft.condition === 'metric' ? (
        <>
          {text('metric', 'Metric', 'Name that tasks report it by: ctx.metrics.set(name, value)')}
          {text('above', 'Above', 'A bound, or both', false)}
          {text('below', 'Below', undefined, false)}
        </>
      ) : null}
    </>
  );
}

/** Which runs, or which queues. */
export function ScopeFields({ draft, errors, set }: ConditionFieldsProps) {
  const { data: facets } = useQuery(facetsQuery);
  const { data: queues = [] } = useQuery(queuesQuery);
  const rooms = roomsOf(draft);
  const list = (field: 'deployments' | 'flows' | 'tags' | 'queues', label: string, known: readonly string[], description: string) => (
    <TagsInput
      label={label}
      description={description}
      placeholder={draft[field].length === 0 ? 'Enter adds one' : ''}
      data={[...known]}
      value={[...draft[field]]}
      error={errors[field]}
      acceptValueOnBlur
      onChange={(names) => set({ [field]: names })}
    />
  );
  return (
    <>
      {rooms.runs ? (
        <>
          {list('deployments', 'Deployments', facets?.deployments ?? [], 'Runs of any of these; none means all')}
          {list('flows', 'Flows', facets?.flows ?? [], 'Runs of any of these; none means all')}
          {list('tags', 'Tags', facets?.tags ?? [], 'A run must have all of these')}
        </>
      ) : null}
      {rooms.queues
        ? list(
            'queues',
            'Queues',
            queues.map(({ name }) => name),
            'Any of these; none means all',
          )
        : null}
    </>
  );
}
