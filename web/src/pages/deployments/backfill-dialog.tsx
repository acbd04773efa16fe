/** Starts a backfill for past ticks: which ticks, how many at once, with a preview of the runs. */
import { Button, Checkbox, Group, NumberInput, Select, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { GuardedModal } from '../../parts/guarded-modal.tsx';
import type { DeploymentView } from '../../../../src/client/deployments-client.ts';
import { ApiError, send } from '../../api/http.ts';
import { plural } from '../../parts/format.ts';
import { Time } from '../../parts/time.tsx';
import style from './deployment-page.module.css';

interface Preview {
  readonly total: number;
  /** ISO 8601 UTC. */
  readonly first: readonly string[];
  readonly last: readonly string[];
}

interface BackfillDialogProps {
  readonly deployment: DeploymentView;
  readonly onClose: () => void;
}

/** More runs than this need a confirmation. */
const manyRuns = 10_000;
const dayMs = 86_400_000;

/** The dialog; it starts nothing before it has shown how many runs it will create. */
export function BackfillDialog({ deployment: { name, schedules }, onClose }: BackfillDialogProps) {
  const client = useQueryClient();
  const [now] = useState(() => Date.now());
  const [schedule, setSchedule] = useState(schedules[0]?.slug ?? '');
  const [from, setFrom] = useState(localText(startOfDay(now - 7 * dayMs)));
  const [until, setUntil] = useState(localText(startOfDay(now)));
  const [atOnce, setAtOnce] = useState<number | string>(1);
  const [order, setOrder] = useState('oldest');
  const [allowLarge, setAllowLarge] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  const [fromAt, untilAt] = [instantOf(from), instantOf(until)];
  const wrong =
    fromAt === null || untilAt === null ? 'Both times are needed.' : fromAt >= untilAt ? 'The end has to come after the beginning.' : null;
  const spec = { deployment: name, schedule, fromAt, untilAt, maxParallel: typeof atOnce === 'number' ? atOnce : 1, order };
  const preview = useQuery({
    queryKey: ['backfills', 'preview', name, schedule, fromAt, untilAt],
    enabled: wrong === null,
    retry: false,
    queryFn: () => send<Preview>('POST', '/backfills/preview', spec),
  });
  const total = wrong === null ? preview.data?.total : undefined;
  const start = async (): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      await send('POST', '/backfills', { ...spec, ...(allowLarge ? { allowLarge } : {}) });
      await client.invalidateQueries({ queryKey: ['backfills', name] });
      onClose();
    } catch (error) {
      setFailure(textOf(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <GuardedModal opened onClose={onClose} title={`Backfill ${name}`}>
      <form
        className={style.form}
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <p>One run for each tick of the time given, as if it had come then. Ticks that have a run already are left out.</p>
        {schedules.length > 1 ? (
          <Select
            label="Schedule"
            data={schedules.map(({ slug }) => slug)}
            value={schedule}
            allowDeselect={false}
            onChange={(slug) => setSchedule(slug ?? '')}
          />
        ) : null}
        <div className={style.pair}>
          <TextInput
            label="From"
            type="datetime-local"
            value={from}
            onChange={(event) => setFrom(event.currentTarget.value)}
            data-autofocus
          />
          <TextInput
            label="Until (exclusive)"
            type="datetime-local"
            value={until}
            onChange={(event) => setUntil(event.currentTarget.value)}
            error={wrong}
          />
          <NumberInput label="In parallel" min={1} max={10_000} allowDecimal={false} value={atOnce} onChange={setAtOnce} />
          <Select
            label="Order"
            data={[
              { value: 'oldest', label: 'Oldest first' },
              { value: 'newest', label: 'Newest first' },
            ]}
            value={order}
            allowDeselect={false}
            onChange={(value) => setOrder(value ?? 'oldest')}
          />
        </div>
        <div className={style.preview} role="status">
          {wrong !== null ? (
            wrong
          ) : preview.error !== null ? (
            textOf(preview.error)
          ) : preview.data === undefined ? (
            'Counting the ticks.'
          ) : (
            <PreviewLine preview={preview.data} />
          )}
        </div>
        {total !== undefined && total > manyRuns ? (
          <Checkbox
            label={`Yes, make ${plural(total, 'run')}`}
            checked={allowLarge}
            onChange={(event) => setAllowLarge(event.currentTarget.checked)}
          />
        ) : null}
        {failure === null ? null : (
          <p role="alert" className={style.failure}>
            {failure}
          </p>
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button type="submit" loading={busy} disabled={total === undefined || total === 0 || (total > manyRuns && !allowLarge)}>
            {total === undefined || total === 0 ? 'Make runs' : `Make ${plural(total, 'run')}`}
          </Button>
        </Group>
      </form>
    </GuardedModal>
  );
}

function PreviewLine({ preview: { total, first, last } }: { readonly preview: Preview }) {
  if (total === 0) return 'No tick falls into this time.';
  return (
    <>
      {plural(total, 'run')}, the first for <Time at={first[0]} as="absolute" />, the last for{' '}
      <Time at={last.at(-1) ?? first.at(-1)} as="absolute" />.
    </>
  );
}

function textOf(error: unknown): string {
  return error instanceof ApiError ? `${error.message} (${error.code})` : String(error);
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

function localText(at: number): string {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function instantOf(text: string): string | null {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}
