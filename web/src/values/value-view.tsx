/** Any value as a tree, opened in portions; closed parts are neither read nor drawn. */
import { Button } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { useState } from 'react';
import { describeValue, partsOf, textOfValue } from './value-tree.ts';
import style from './value-view.module.css';

/** Parts drawn at once. */
const stretch = 100;
/** Levels open at first, if they have few parts. */
const openLevels = 2;
const openParts = 20;

interface ValueViewProps {
  readonly value: unknown;
  /** What it is, for screen readers, e.g. `Result`. */
  readonly label: string;
}

/** The tree, with a button that copies the whole. */
export function ValueView({ value, label }: ValueViewProps) {
  const { copy, copied } = useClipboard({ timeout: 1500 });
  return (
    <div className={style.view}>
      <ul className={style.tree} aria-label={label}>
        <Part label={null} value={value} level={0} />
      </ul>
      <Button
        className={style.copy}
        variant="subtle"
        size="compact-xs"
        onClick={() => copy(textOfValue(value))}
        aria-label={`Copy: ${label}`}
      >
        {copied ? 'Copied' : 'Copy'}
      </Button>
    </div>
  );
}

function Part({ label, value, level }: { readonly label: string | null; readonly value: unknown; readonly level: number }) {
  const { kind, text, size } = describeValue(value);
  const [open, setOpen] = useState(level < openLevels && size <= openParts);
  const name = label === null ? null : <span className={style.name}>{label}</span>;
  if (size === 0) {
    return (
      <li className={style.part}>
        {name}
        <span className={style.value} data-kind={kind}>
          {text}
        </span>
      </li>
    );
  }
  return (
    <li className={style.part}>
      <button type="button" className={style.opener} aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className={style.mark} aria-hidden="true">
          {open ? '▾' : '▸'}
        </span>
        {name}
        <span className={style.summary}>{text}</span>
      </button>
      {open ? <Parts value={value} size={size} level={level + 1} /> : null}
    </li>
  );
}

function Parts({ value, size, level }: { readonly value: unknown; readonly size: number; readonly level: number }) {
  const [shown, setShown] = useState(stretch);
  return (
    <ul className={style.parts}>
      {partsOf(value, 0, shown).map((part, at) => (
        // Two keys of a map may read the same, so the index is the key.
        <Part key={at} label={part.label} value={part.value} level={level} />
      ))}
      {shown < size ? (
        <li>
          <Button variant="subtle" size="compact-xs" onClick={() => setShown(shown + stretch)}>
            {`Show ${Math.min(stretch, size - shown)} more of ${(size - shown).toLocaleString('en')}`}
          </Button>
        </li>
      ) : null}
    </ul>
  );
}
