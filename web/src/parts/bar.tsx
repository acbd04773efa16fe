/** Small bars in a row of text. */
import style from './bar.module.css';

interface BarProps {
  /** Each from 0 to 1, from the left; together at most 1. */
  readonly parts: readonly { readonly share: number; readonly tone: 'completed' | 'running' | 'failed' | 'stopped' | 'late' | 'plain' }[];
  /** Width in px; default as wide as there is room. */
  readonly width?: number;
  /** Text for screen readers. Missing: it only repeats a number next to it. */
  readonly label?: string;
}

/** Shares that are done, taken or failed. */
export function ShareBar({ parts, width, label }: BarProps) {
  return (
    <span
      className={style.bar}
      {...(label === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label })}
      {...(width === undefined ? {} : { style: { width, flex: 'none' } })}
    >
      {parts.map(({ share, tone }) =>
        share > 0 ? <span key={tone} className={style.part} data-tone={tone} style={{ width: `${Math.min(1, share) * 100}%` }} /> : null,
      )}
    </span>
  );
}
