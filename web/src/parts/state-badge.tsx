/** A state as shown everywhere: its shape in its colour, and its name. */
import { lookOf, type Shape, wordsOf } from './state.ts';
import style from './state-badge.module.css';

interface StateBadgeProps {
  /** Name of the state, e.g. `Running`. */
  readonly name: string;
  /** Its sentence, shown on hover. */
  readonly message?: string | null;
  /** Only the shape, if the name is in the same row anyway; screen readers still get the name. */
  readonly bare?: boolean;
}

/** Shape and name of a state. A running one pulses slowly, unless reduced motion is requested. */
export function StateBadge({ name, message = null, bare = false }: StateBadgeProps) {
  const { tone, shape } = lookOf(name);
  const words = wordsOf(name);
  return (
    <span
      className={style.badge}
      data-tone={tone}
      data-state={name}
      data-bare={bare || undefined}
      title={message ?? (bare ? words : undefined)}
    >
      <svg className={shape === 'dot' ? style.pulse : undefined} width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        {drawings[shape]}
      </svg>
      {bare ? <span className={style.hidden}>{words}</span> : <span>{words}</span>}
    </span>
  );
}

/** The shape and colour of a state before another text, which is sufficient by itself. */
export function StateShape({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  const { tone, shape } = lookOf(name);
  return (
    <span className={style.badge} data-tone={tone}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        {drawings[shape]}
      </svg>
      <span>{children}</span>
    </span>
  );
}

const line = { fill: 'none', stroke: 'currentColor', strokeWidth: 1.8, strokeLinecap: 'round', strokeLinejoin: 'round' } as const;

const drawings: Readonly<Record<Shape, React.ReactNode>> = {
  check: <path {...line} d="M2 6.5 4.8 9.2 10 3" />,
  dot: <circle cx="6" cy="6" r="4" fill="currentColor" />,
  cross: <path {...line} d="m2.8 2.8 6.4 6.4m0-6.4L2.8 9.2" />,
  broken: <path {...line} d="M6.6 1.8h3.6v3.6M5.4 10.2H1.8V6.6M4.4 1.8H1.8v2.6m8.4 3.2v2.6H7.6" />,
  slash: <path {...line} d="M3 9.5 9 2.5" />,
  clock: <path {...line} strokeWidth={1.5} d="M6 1.2a4.8 4.8 0 1 1 0 9.6 4.8 4.8 0 0 1 0-9.6ZM6 3.5V6l1.8 1.3" />,
  triangle: <path d="M6 1 11.3 10.6H.7Zm-.7 3.4v3h1.4v-3Zm0 3.9v1.2h1.4V8.3Z" fill="currentColor" fillRule="evenodd" />,
  pause: <path d="M2.5 2h2.6v8H2.5Zm4.4 0h2.6v8H6.9Z" fill="currentColor" />,
  ring: <circle {...line} cx="6" cy="6" r="4" />,
};
