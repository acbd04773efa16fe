/** Selects one or more states. */
import { Button, Popover } from '@mantine/core';
import { Icon } from '../../parts/icon.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { wordsOf } from '../../parts/state.ts';
import style from './state-filter.module.css';

/** Value in the address, and the state it is drawn as. A type includes all its names, a name only itself. */
const choices = [
  { value: 'FAILED', name: 'Failed' },
  { value: 'TimedOut', name: 'TimedOut' },
  { value: 'CRASHED', name: 'Crashed' },
  { value: 'RUNNING', name: 'Running' },
  { value: 'PENDING', name: 'Pending' },
  { value: 'PAUSED', name: 'Suspended' },
  { value: 'SCHEDULED', name: 'Scheduled' },
  { value: 'Late', name: 'Late' },
  { value: 'AwaitingRetry', name: 'AwaitingRetry' },
  { value: 'AwaitingSlot', name: 'AwaitingSlot' },
  { value: 'CANCELLING', name: 'Cancelling' },
  { value: 'COMPLETED', name: 'Completed' },
  { value: 'CANCELLED', name: 'Cancelled' },
] as const;

interface StateFilterProps {
  readonly states: readonly string[];
  readonly onChange: (states: readonly string[]) => void;
}

/** A button with the selection, which opens a list of checkboxes. */
export function StateFilter({ states, onChange }: StateFilterProps) {
  const chosen = choices.filter(({ value }) => states.some((state) => state.toLowerCase() === value.toLowerCase()));
  const toggle = (value: string): void =>
    onChange(
      chosen.some((choice) => choice.value === value)
        ? states.filter((state) => state.toLowerCase() !== value.toLowerCase())
        : [...states, value],
    );
  return (
    <Popover position="bottom-start" trapFocus returnFocus>
      <Popover.Target>
        <Button variant="default" className={style.button} rightSection={<Icon name="chevron" size={14} />} aria-label={labelOf(states)}>
          {states.length === 0 ? <span className={style.any}>State</span> : null}
          {chosen.length === 1 && states.length === 1
            ? chosen.map(({ name }) => <StateBadge key={name} name={name} />)
            : chosen.map(({ name }) => <StateBadge key={name} name={name} bare />)}
          {states.length > 0 && chosen.length === 0 ? states.map(wordsOf).join(', ') : null}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={style.list}>
        {choices.map(({ value, name }) => (
          <label key={value} className={style.choice}>
            <input type="checkbox" checked={chosen.some((choice) => choice.value === value)} onChange={() => toggle(value)} />
            <StateBadge name={name} />
          </label>
        ))}
        <Button variant="subtle" size="compact-xs" disabled={states.length === 0} onClick={() => onChange([])}>
          Any state
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}

function labelOf(states: readonly string[]): string {
  const words = states.map((state) => wordsOf(choices.find(({ value }) => value.toLowerCase() === state.toLowerCase())?.name ?? state));
  return `State: ${words.length === 0 ? 'any' : words.join(', ')}`;
}
