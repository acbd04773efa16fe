/** The colour of a state as a CSS variable, for drawings other than badges. */
import type { CSSProperties } from 'react';
import { lookOf } from './state.ts';

/** Sets `--tone` to the colour of a state. */
export function toneOf(state: string): CSSProperties {
  return { '--tone': `var(--state-${lookOf(state).tone})` } as CSSProperties;
}
