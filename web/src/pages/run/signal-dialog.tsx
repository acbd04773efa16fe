/** Sends a signal to a run: an approval, an answer, a nudge. */
import { SegmentedControl, Select, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { send } from '../../api/http.ts';
import { readJson } from '../../form/form-values.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { type RunDetail, runPath } from './run-data.ts';
import style from '../../form/params-form.module.css';

const prefix = 'signal:';

/** Names of the signals a run is waiting for. */
export function awaitedSignals({ counts }: RunDetail): readonly string[] {
  return counts.flatMap(({ name, state }) => (name.startsWith(prefix) && state === 'Suspended' ? [name.slice(prefix.length)] : []));
}

interface SignalDialogProps {
  readonly runId: string;
  readonly awaited: readonly string[];
  readonly onClose: () => void;
  readonly onDone: () => Promise<void>;
}

/** Name and data of the signal. A yes or no is sent as `{ "yes": true }`; anything else is written as JSON. */
export function SignalDialog({ runId, awaited, onClose, onDone }: SignalDialogProps) {
  const [name, setName] = useState(awaited[0] ?? '');
  const [kind, setKind] = useState('json');
  const [text, setText] = useState('{\n  "yes": true\n}');
  const read = readJson(text);
  const wrong = kind === 'json' && 'error' in read ? read.error : null;
  return (
    <Confirm
      opened
      onClose={onClose}
      title={name === '' ? 'Send a signal' : `Send ${name}`}
      action="Send"
      disabled={name === '' || wrong !== null}
      onConfirm={async () => {
        await send('POST', `${runPath(runId)}/signal`, { name, ...(kind === 'json' && 'value' in read ? { data: read.value } : {}) });
        await onDone();
      }}
    >
      <p>The run gets it when it waits for it, now or later. Each signal is taken once.</p>
      {awaited.length > 1 ? (
        <Select label="Signal" data={[...awaited]} value={name} onChange={(chosen) => setName(chosen ?? '')} allowDeselect={false} />
      ) : (
        <TextInput
          label="Signal"
          value={name}
          onChange={(event) => setName(event.currentTarget.value.trim())}
          data-autofocus={name === '' || undefined}
        />
      )}
      <SegmentedControl
        value={kind}
        onChange={setKind}
        data={[
          { value: 'json', label: 'With data' },
          { value: 'none', label: 'Without' },
        ]}
        aria-label="Whether the signal carries data"
      />
      {kind === 'json' ? (
        <Textarea
          label="Data"
          description="JSON; what the flow gets from waitFor"
          autosize
          minRows={3}
          maxRows={14}
          value={text}
          error={wrong}
          spellCheck={false}
          classNames={{ input: style.code ?? '' }}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      ) : null}
    </Confirm>
  );
}
