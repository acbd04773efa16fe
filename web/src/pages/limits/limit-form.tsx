/** Sets the slots of a limit, or the starts of a rate. */
import { NumberInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import type { Limit } from '../../api/wire-types.ts';
import { typedDuration } from '../../parts/format.ts';
import { SaveDialog } from '../../parts/save-dialog.tsx';

interface LimitFormProps {
  /** The limit to change; null for a new one. */
  readonly limit: Limit | null;
  readonly onClose: () => void;
}

/** A dialog with the name and the number of slots. Lowering it takes nothing from current holders. */
export function LimitForm({ limit, onClose }: LimitFormProps) {
  const [tag, setTag] = useState('');
  const [slots, setSlots] = useState<number | string>(limit?.slots ?? 1);
  const [per, setPer] = useState(limit?.rate === undefined ? '' : typedDuration(limit.rate.perMs));
  const isRate = limit === null ? per.trim() !== '' : limit.rate !== undefined;
  const name = limit?.name ?? `tag:${tag.trim()}`;
  const isReady = (limit !== null || tag.trim() !== '') && typeof slots === 'number';

  const save = async (): Promise<void> => {
    const key = limit?.rate?.key ?? null;
    const rate = { limit: slots, per: per.trim(), ...(key === null ? {} : { key }) };
    await send('PUT', `/limits/${encodeURIComponent(name)}`, isRate ? rate : { slots });
    await queryClient.invalidateQueries({ queryKey: ['limits'] });
  };
  const set = name === 'tag:' ? `the ${isRate ? 'rate' : 'limit'}` : name;
  return (
    <SaveDialog
      title={limit === null ? 'Add a limit' : `Change ${limit.name}`}
      size="sm"
      action={`Set ${set} to ${slots}${isRate ? ` in ${per.trim()}` : ''}`}
      isReady={isReady}
      onSave={save}
      onClose={onClose}
    >
      {limit === null ? (
        <TextInput
          label="Tag of the tasks"
          description="Tasks with this tag share the slots in the whole fleet."
          value={tag}
          onChange={(event) => setTag(event.currentTarget.value)}
          required
          data-autofocus
        />
      ) : null}
      <NumberInput
        label={isRate ? 'Starts' : 'Slots'}
        description={isRate ? 'How many may begin in any window of this length.' : 'How many may run at the same time; 0 stops them all.'}
        min={isRate ? 1 : 0}
        allowDecimal={false}
        value={slots}
        onChange={setSlots}
        required
      />
      {limit === null || isRate ? (
        <TextInput
          label="Window"
          description="For a rate: so many tasks may begin in any window, such as 1m. Empty for tasks at the same time."
          value={per}
          onChange={(event) => setPer(event.currentTarget.value)}
          required={limit !== null}
        />
      ) : null}
    </SaveDialog>
  );
}
