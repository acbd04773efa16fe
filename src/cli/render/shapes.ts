/** Colours, and the shape of each state, so that it is readable without colour. The same shapes as on the dashboard. */
import pc from 'picocolors';
import type { State, StateName, StateType } from '../../model/state.ts';

/** The colours in use; with `on` false each returns its text unchanged. */
export type Paint = ReturnType<typeof pc.createColors>;

/** Colours for one stream. */
export function paintOf(on: boolean): Paint {
  return pc.createColors(on);
}

/** Names of the colours in use here. */
export type Hue = 'green' | 'blueBright' | 'red' | 'yellow' | 'gray' | 'magenta' | 'cyan';

/** How one state is drawn. */
export interface Shape {
  /** One cell wide. */
  readonly glyph: string;
  readonly hue: Hue;
}

const check: Shape = { glyph: '✓', hue: 'green' };
const dot: Shape = { glyph: '●', hue: 'blueBright' };
const cross: Shape = { glyph: '✕', hue: 'red' };
const brokenSquare: Shape = { glyph: '▚', hue: 'yellow' };
const slash: Shape = { glyph: '⊘', hue: 'gray' };
const clock: Shape = { glyph: '◷', hue: 'magenta' };
const triangle: Shape = { glyph: '△', hue: 'yellow' };
const pause: Shape = { glyph: '‖', hue: 'cyan' };
const ring: Shape = { glyph: '○', hue: 'gray' };

const byType: Readonly<Record<StateType, Shape>> = {
  SCHEDULED: clock,
  PENDING: ring,
  RUNNING: dot,
  PAUSED: pause,
  CANCELLING: slash,
  COMPLETED: check,
  FAILED: cross,
  CRASHED: brokenSquare,
  CANCELLED: slash,
};

const byName: Partial<Record<StateName, Shape>> = { Late: triangle, Skipped: slash };

/** Shape of a state; the name decides before the type does. */
export function shapeOf(state: Pick<State, 'type' | 'name'>): Shape {
  return byName[state.name] ?? byType[state.type];
}

/** The painted glyph of a state. */
export function glyphOf(state: Pick<State, 'type' | 'name'>, paint: Paint): string {
  const shape = shapeOf(state);
  return paint[shape.hue](shape.glyph);
}

/** Glyph and name, painted, as a table shows them. */
export function labelOf(state: Pick<State, 'type' | 'name'>, paint: Paint): string {
  const shape = shapeOf(state);
  return paint[shape.hue](`${shape.glyph} ${state.name}`);
}
