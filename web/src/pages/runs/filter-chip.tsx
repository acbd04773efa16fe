/** A filter without its own field, with a remove button. */
import { UnstyledButton } from '@mantine/core';
import { Icon } from '../../parts/icon.tsx';
import style from './filter-chip.module.css';

interface FilterChipProps {
  readonly label: string;
  /** The filtered property, for the name of the button. */
  readonly what: string;
  readonly onRemove: () => void;
}

/** The filter and its button. */
export function FilterChip({ label, what, onRemove }: FilterChipProps) {
  return (
    <span className={style.chip}>
      {label}
      <UnstyledButton className={style.remove} aria-label={`Any ${what}`} onClick={onRemove}>
        <Icon name="close" size={12} />
      </UnstyledButton>
    </span>
  );
}
