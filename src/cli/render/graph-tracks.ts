/**
 * The room between two columns of a drawn graph: which lines share an upright, and where the uprights stand.
 *
 * Places that lead to exactly the same places share one upright. Where a line leaves on a row on which another one arrives, the
 * leaving one must turn off first, or the two would read as one line.
 */
import type { Place } from './graph-layout.ts';

/** Lines that share an upright. */
export interface Bus {
  readonly from: readonly Place[];
  readonly to: readonly Place[];
  /** Upright's place in the channel, from 0; null when the line is straight and needs none. */
  track: number | null;
}

/** Rows a bus covers, both ends included. */
export function spanOf(bus: Bus): readonly [top: number, bottom: number] {
  const rows = [...bus.from, ...bus.to].map((place) => place.row);
  return [Math.min(...rows), Math.max(...rows)];
}

/** Gives every bus its track; null when lines block each other in a circle, which other rows must mend. */
export function routeChannel(left: readonly Place[]): { readonly buses: readonly Bus[]; readonly tracks: number } | null {
  const buses = busesOf(left);
  const bent = buses.filter((bus) => !isStraight(bus));
  const waitsFor = new Map(bent.map((bus) => [bus, bent.filter((other) => mustTurnFirst(other, bus))]));
  const placed: Bus[] = [];
  while (placed.length < bent.length) {
    const ready = bent.filter((bus) => bus.track === null && (waitsFor.get(bus) ?? []).every((other) => other.track !== null));
    const next = ready[0];
    if (!next) return null;
    const least = Math.max(-1, ...(waitsFor.get(next) ?? []).map((other) => other.track ?? 0)) + 1;
    next.track = firstFree(next, least, placed);
    placed.push(next);
  }
  return { buses, tracks: Math.max(0, ...placed.map((bus) => (bus.track ?? 0) + 1)) };
}

function busesOf(left: readonly Place[]): Bus[] {
  const byTargets = new Map<string, { from: Place[]; to: Place[]; track: null }>();
  for (const place of left) {
    if (place.after.length === 0) continue;
    const to = [...place.after].sort((a, b) => a.row - b.row);
    const key = to.map((target) => target.row).join(',');
    const bus = byTargets.get(key);
    if (bus) bus.from.push(place);
    else byTargets.set(key, { from: [place], to, track: null });
  }
  return [...byTargets.values()];
}

function isStraight(bus: Bus): boolean {
  return bus.from.length === 1 && bus.to.length === 1 && bus.from[0]?.row === bus.to[0]?.row;
}

/** Whether `bus` leaves on a row on which `other` arrives, and itself goes elsewhere too. */
function mustTurnFirst(bus: Bus, other: Bus): boolean {
  if (bus === other) return false;
  return bus.from.some(({ row }) => other.to.some((target) => target.row === row) && !(bus.to.length === 1 && bus.to[0]?.row === row));
}

function firstFree(bus: Bus, least: number, placed: readonly Bus[]): number {
  const [top, bottom] = spanOf(bus);
  for (let track = least; ; track++) {
    const taken = placed.some((other) => {
      const [otherTop, otherBottom] = spanOf(other);
      return other.track === track && otherTop <= bottom && otherBottom >= top;
    });
    if (!taken) return track;
  }
}
